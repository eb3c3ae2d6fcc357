"""Certificates that are created for a test session, in its temporary directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trustme

if TYPE_CHECKING:
    from pathlib import Path

NAME = "node.test"


class Authority:
    """A certificate authority, and the files of the certificates it issues."""

    def __init__(self, directory: Path) -> None:
        self._ca = trustme.CA()
        self._directory = directory
        self._issued = 0
        self.file = str(directory / "ca.pem")
        self._ca.cert_pem.write_to_path(self.file)

    def issue(self, name: str = NAME, **kwargs: Any) -> dict[str, str]:
        """The files of a new certificate: ``cert`` and ``key``."""
        issued = self._ca.issue_cert(name, **kwargs)
        self._issued += 1
        cert, key = (str(self._directory / f"{part}-{self._issued}.pem") for part in ("cert", "key"))
        for number, pem in enumerate(issued.cert_chain_pems):
            pem.write_to_path(cert, append=number > 0)
        issued.private_key_pem.write_to_path(key)
        return {"cert": cert, "key": key}

    def nodes(self, **kwargs: Any) -> dict[str, str]:
        """The ``tls`` of nodes."""
        return {**self.issue(), "name": NAME, **kwargs}

    def trusted(self, **kwargs: Any) -> dict[str, Any]:
        """The ``tls`` of a client that trusts the authority."""
        return {"enable": True, "cafile": self.file, **kwargs}

    def shown(self) -> dict[str, Any]:
        """The ``tls`` of a client that also presents a certificate."""
        issued = self.issue("client")
        return self.trusted(certfile=issued["cert"], keyfile=issued["key"])
