"""Secondary indexes, and the progress of background jobs, awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import constants
from .._utils.event_loop import call
from .indexes import creation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .. import _native
    from .._operation import Expression
    from ..cdt_ctx import _cdt_ctx
    from ..types import IndexInfo, InfoPolicy, JobInfo


class AsyncIndexCommands:
    """Secondary indexes, for ``AsyncClient``."""

    _core: _native.Core

    async def _create(self, *arguments: Any) -> int:
        done: int = await call(self._core.index_create, *creation(*arguments))
        return done

    async def index_single_value_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_datatype: int,
        name: str,
        policy: InfoPolicy | None = None,
        ctx: Sequence[_cdt_ctx] | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_single_value_create`, awaited.

        Example:
            >>> await client.index_single_value_create("test", "users", "age", INDEX_NUMERIC, "users_age")
            0
        """
        what = (bin, None, index_datatype, ctx)
        return await self._create(
            "index_single_value_create", "bin", ns, set, name, what, policy, wait_timeout
        )

    async def index_list_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_datatype: int,
        name: str,
        policy: InfoPolicy | None = None,
        ctx: Sequence[_cdt_ctx] | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_list_create`, awaited.

        Example:
            >>> await client.index_list_create("test", "users", "tags", INDEX_STRING, "users_tags")
            0
        """
        what = (bin, constants.INDEX_TYPE_LIST, index_datatype, ctx)
        return await self._create("index_list_create", "bin", ns, set, name, what, policy, wait_timeout)

    async def index_map_keys_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_datatype: int,
        name: str,
        policy: InfoPolicy | None = None,
        ctx: Sequence[_cdt_ctx] | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_map_keys_create`, awaited.

        Example:
            >>> await client.index_map_keys_create("test", "users", "scores", INDEX_STRING, "users_keys")
            0
        """
        what = (bin, constants.INDEX_TYPE_MAPKEYS, index_datatype, ctx)
        return await self._create("index_map_keys_create", "bin", ns, set, name, what, policy, wait_timeout)

    async def index_map_values_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_datatype: int,
        name: str,
        policy: InfoPolicy | None = None,
        ctx: Sequence[_cdt_ctx] | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_map_values_create`, awaited.

        Example:
            >>> await client.index_map_values_create("test", "users", "scores", INDEX_NUMERIC, "users_scores")
            0
        """
        what = (bin, constants.INDEX_TYPE_MAPVALUES, index_datatype, ctx)
        return await self._create("index_map_values_create", "bin", ns, set, name, what, policy, wait_timeout)

    async def index_expr_create(
        self,
        ns: str,
        set: str | None,
        index_type: int,
        index_datatype: int,
        expressions: Expression,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_expr_create`, awaited.

        Example:
            >>> twice = exp.Mul(exp.IntBin("visits"), 2).compile()
            >>> kinds = (INDEX_TYPE_DEFAULT, INDEX_NUMERIC)
            >>> await client.index_expr_create("test", "users", *kinds, twice, "users_twice")
            0
        """
        what = (expressions, index_type, index_datatype, None)
        return await self._create(
            "index_expr_create", "expression", ns, set, name, what, policy, wait_timeout
        )

    async def index_set_create(
        self,
        ns: str,
        set: str | None,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_set_create`, awaited.

        Example:
            >>> try:
            ...     await client.index_set_create("test", "users", "users_set")
            ... except aerospike_py.exception.InvalidRequest:
            ...     print("the embedded server has none")
            the embedded server has none
        """
        what = (None, None, None, None)
        return await self._create("index_set_create", "set", ns, set, name, what, policy, wait_timeout)

    async def index_cdt_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        index_type: int,
        index_datatype: int,
        name: str,
        ctx: Sequence[_cdt_ctx],
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_cdt_create`, awaited.

        Example:
            >>> ctx = [aerospike_py.cdt_ctx.cdt_ctx_map_key("tags")]
            >>> kinds = (INDEX_TYPE_LIST, INDEX_STRING)
            >>> await client.index_cdt_create("test", "users", "info", *kinds, "users_tags", ctx)
            0
        """
        what = (bin, index_type, index_datatype, ctx)
        return await self._create("index_cdt_create", "bin", ns, set, name, what, policy, wait_timeout)

    async def index_integer_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_integer_create`, awaited.

        Example:
            >>> await client.index_integer_create("test", "users", "visits", "users_visits")
            0
        """
        what = (bin, None, constants.INDEX_NUMERIC, None)
        return await self._create("index_integer_create", "bin", ns, set, name, what, policy, wait_timeout)

    async def index_string_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_string_create`, awaited.

        Example:
            >>> await client.index_string_create("test", "users", "name", "users_name")
            0
        """
        what = (bin, None, constants.INDEX_STRING, None)
        return await self._create("index_string_create", "bin", ns, set, name, what, policy, wait_timeout)

    async def index_blob_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_blob_create`, awaited.

        Example:
            >>> await client.index_blob_create("test", "users", "photo", "users_photo")
            0
        """
        what = (bin, None, constants.INDEX_BLOB, None)
        return await self._create("index_blob_create", "bin", ns, set, name, what, policy, wait_timeout)

    async def index_geo2dsphere_create(
        self,
        ns: str,
        set: str | None,
        bin: str,
        name: str,
        policy: InfoPolicy | None = None,
        *,
        wait_timeout: int | None = None,
    ) -> int:
        """Like :meth:`Client.index_geo2dsphere_create`, awaited.

        Example:
            >>> await client.index_geo2dsphere_create("test", "users", "place", "users_place")
            0
        """
        what = (bin, None, constants.INDEX_GEO2DSPHERE, None)
        return await self._create(
            "index_geo2dsphere_create", "bin", ns, set, name, what, policy, wait_timeout
        )

    async def index_remove(self, ns: str, name: str, policy: InfoPolicy | None = None) -> int:
        """Like :meth:`Client.index_remove`, awaited.

        Example:
            >>> await client.index_remove("test", "users_visits")
            0
        """
        answer: int = await call(self._core.index_remove, ns, name, policy)
        return answer

    async def index_wait_till_complete(self, ns: str, name: str, timeout: int | None = None) -> None:
        """Like :meth:`Client.index_wait_till_complete`, awaited.

        Example:
            >>> await client.index_integer_create("test", "users", "age", "users_age", wait_timeout=0)
            0
            >>> await client.index_wait_till_complete("test", "users_age", 60_000)
        """
        await call(self._core.index_wait, ns, name, timeout)

    async def index_list(self, ns: str, policy: InfoPolicy | None = None) -> list[IndexInfo]:
        """Like :meth:`Client.index_list`, awaited.

        Example:
            >>> await client.index_list("test")
            []
        """
        answer: list[IndexInfo] = await call(self._core.index_list, ns, policy)
        return answer

    async def job_info(self, job_id: int, module: str, policy: InfoPolicy | None = None) -> JobInfo:
        """Like :meth:`Client.job_info`, awaited.

        Example:
            >>> await client.job_info(12345, JOB_QUERY)
            {'progress_pct': 0, 'records_read': 0, 'status': 2}
        """
        answer: JobInfo = await call(self._core.job_info, job_id, module, policy)
        return answer
