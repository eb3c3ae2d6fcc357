"""Background queries: operations or functions that the nodes apply to records by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils.event_loop import call
from .base import QueryBase

if TYPE_CHECKING:
    from ..types import WritePolicy


class BackgroundRuns(QueryBase):
    """Background runs of a ``Query``."""

    def execute_background(self, policy: WritePolicy | None = None) -> int:
        """Makes the nodes apply the operations of :meth:`Query.add_ops`, or the function of
        :meth:`Query.apply`.

        Returns once every node has begun. A node that may have begun does not get the job a second time, so
        each record is changed once.

        Args:
            policy: write policy. ``expressions`` chooses among the records, ``ttl`` is the time to live of
                those that are written; ``exists`` and ``gen`` cannot be conditions here.

        Returns:
            The identifier of the job, for :meth:`Client.job_info`.

        Raises:
            ParamError: the query has neither operations nor a function, or operations that read.
            IndexNotFound: there is no index for the predicate.
            AerospikeError: a node did not begin, or may have. If nodes have begun, ``in_doubt`` is True and
                the message names the job and these nodes.

        Example:
            >>> from aerospike_py import operations as op
            >>> job = client.query("test", "users").add_ops([op.write("seen", 1)]).execute_background()
            >>> client.job_info(job, JOB_QUERY)["status"] in (JOB_STATUS_INPROGRESS, JOB_STATUS_COMPLETED)
            True
        """
        job: int = self._background(None, policy)
        return job


class AsyncBackgroundRuns(QueryBase):
    """Background runs of an ``AsyncQuery``."""

    async def execute_background(self, policy: WritePolicy | None = None) -> int:
        """Like :meth:`Query.execute_background`, awaited.

        Example:
            >>> from aerospike_py import operations as op
            >>> query = client.query("test", "users").add_ops([op.write("seen", 1)])
            >>> job = await query.execute_background()
        """
        job: int = await call(self._background, policy)
        return job
