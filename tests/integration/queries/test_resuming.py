"""A query that stops and continues: no record is lost, and each complete page has its records once."""

import asyncio
import gc
import signal
import threading
import time

import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient
from aerospike_py.query.records import QueryRun
from tests.support.processes import end_of, start

RECORDS = 300


def fill(client, name, count=RECORDS):
    for number in range(count):
        client.put(("test", name, number), {"n": number})
    return set(range(count))


def numbers(records):
    found = [record.bins["n"] for record in records]
    assert len(found) == len(set(found)), "records came twice"
    return set(found)


def rest_of(client, name, query):
    """What follows, read with another query."""
    status = query.get_partitions_status()
    rest = client.query("test", name)
    found = rest.results({"partition_filter": {"partition_status": status}})
    assert rest.is_done()
    return numbers(found)


def stop_by_returning_false(query, seen, at):
    def callback(record):
        seen.append(record)
        return len(seen) < at

    query.foreach(callback)


def stop_by_raising(query, seen, at):
    def callback(record):
        seen.append(record)
        if len(seen) == at:
            raise KeyError("from the callback")

    with pytest.raises(KeyError, match="from the callback"):
        query.foreach(callback)


def leave_the_loop(query, seen, at):
    for record in query:
        seen.append(record)
        if len(seen) == at:
            break
    gc.collect()


def close_the_iterator(query, seen, at):
    records = query.records()
    seen += [next(records) for _ in range(at)]
    records.close()


def leave_the_block(query, seen, at):
    with query.records() as records:
        seen += [next(records) for _ in range(at)]


STOPS = [stop_by_returning_false, stop_by_raising, leave_the_loop, close_the_iterator, leave_the_block]


# Lists of the stream have 128 records.
@pytest.mark.parametrize("at", [1, 6, 128, 129, RECORDS])
@pytest.mark.parametrize("stop", STOPS)
def test_the_record_at_which_a_query_stops_comes_again(client, fresh_set, stop, at):
    everything = fill(client, fresh_set)
    query = client.query("test", fresh_set)
    seen = []
    stop(query, seen, at)
    assert not query.is_done()
    first, rest = numbers(seen), rest_of(client, fresh_set, query)
    assert len(first) == at
    assert first & rest == {seen[-1].bins["n"]}
    assert first | rest == everything


@pytest.mark.parametrize("stop", STOPS)
def test_a_query_that_paginates_continues_with_that_record(client, fresh_set, stop):
    everything = fill(client, fresh_set)
    query = client.query("test", fresh_set)
    query.paginate()
    pages = []
    while not query.is_done():
        assert len(pages) < RECORDS / 36
        pages.append([])
        if RECORDS - 36 * len(pages) < 36:
            pages[-1] += query.results()
        else:
            stop(query, pages[-1], 37)
    assert set().union(*map(numbers, pages)) == everything
    # In the next page or in a later one: a server reads several partitions at a time.
    for at, page in enumerate(pages[:-1], 1):
        assert numbers(page) & set().union(*map(numbers, pages[at:])) == {page[-1].bins["n"]}


def test_the_status_counts_a_record_when_the_next_is_asked_for(client, fresh_set):
    everything = fill(client, fresh_set)
    query = client.query("test", fresh_set)
    records = query.records()
    taken = set()
    for _ in range(10):
        record = next(records)
        assert rest_of(client, fresh_set, query) == everything - taken
        taken.add(record.bins["n"])
    assert numbers([*records]) == everything - taken
    assert query.is_done()
    assert rest_of(client, fresh_set, query) == set()


def test_a_later_run_takes_precedence(client, fresh_set):
    everything = fill(client, fresh_set)
    query = client.query("test", fresh_set)
    records = query.records()
    next(records)
    assert numbers(query.results()) == everything
    records.close()
    assert query.is_done()


def test_the_status_may_be_asked_for_while_another_thread_waits(client, fresh_set):
    everything = fill(client, fresh_set)
    query = client.query("test", fresh_set)
    query.records_per_second = 400
    records = query.records()
    taken = [next(records)]
    thread = threading.Thread(target=taken.extend, args=(records,))
    thread.start()
    statuses = []
    while thread.is_alive():
        # First: the thread may take records before the status is read, but not fewer.
        before = numbers(taken[:])
        statuses.append((before, query.get_partitions_status()))
        time.sleep(0.02)
    thread.join()
    assert numbers(taken) == everything
    for before, status in statuses[:: max(len(statuses) // 5, 1)]:
        rest = client.query("test", fresh_set)
        found = numbers(rest.results({"partition_filter": {"partition_status": status}}))
        assert found >= everything - numbers(taken)
        assert len(found) <= RECORDS - len(before) + 1


def test_a_failed_call_for_all_records_has_taken_none(client, fresh_set):
    everything = fill(client, fresh_set)
    query = client.query("test", fresh_set)
    query.records_per_second = 400
    for _ in range(2):
        with pytest.raises(aerospike.TimeoutError):
            query.results({"total_timeout": 250})
        assert rest_of(client, fresh_set, query) == everything
    query.paginate()
    query.max_records = 100
    found = []
    for _ in range(3):
        with pytest.raises(aerospike.TimeoutError):
            query.results({"total_timeout": 50})
        found += query.results()
    assert numbers(found) == everything


def test_a_cancelled_call_for_all_records_has_taken_none(config, fresh_set):
    async def main():
        async with AsyncClient(config) as client:
            await asyncio.gather(*(client.put(("test", fresh_set, n), {"n": n}) for n in range(RECORDS)))
            query = client.query("test", fresh_set)
            query.records_per_second = 400
            query.paginate()
            for _ in range(2):
                task = asyncio.create_task(query.results())
                await asyncio.sleep(0.2)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            query.records_per_second = 0
            assert numbers(await query.results()) == set(range(RECORDS))

    asyncio.run(main())


def test_a_cancelled_callback_has_not_taken_its_record(config, fresh_set):
    async def main():
        async with AsyncClient(config) as client:
            await asyncio.gather(*(client.put(("test", fresh_set, n), {"n": n}) for n in range(RECORDS)))
            query = client.query("test", fresh_set)
            query.paginate()
            seen, is_waiting = [], asyncio.Event()

            async def callback(record):
                seen.append(record)
                if len(seen) == 150:
                    is_waiting.set()
                    await asyncio.sleep(60)

            task = asyncio.create_task(query.foreach(callback))
            await is_waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            rest = numbers(await query.results())
            assert numbers(seen) & rest == {seen[-1].bins["n"]}
            assert numbers(seen) | rest == set(range(RECORDS))

    asyncio.run(main())


@pytest.mark.embedded
@pytest.mark.parametrize("call", ["query.results()", "query.foreach(lambda record: None)"])
def test_ctrl_c_loses_no_record(own_node, call):
    with aerospike.client(own_node.config) as client:
        fill(client, "s")
    process = start(
        f"""
        client = aerospike.client(config).connect()
        query = client.query("test", "s")
        query.paginate()
        query.records_per_second = 100
        print("begun", flush=True)
        try:
            {call}
        except KeyboardInterrupt:
            taken = sum(init for key, (_, init, *_) in list(query.get_partitions_status().items())[2:])
            query.records_per_second = 0
            print(taken, len(query.results()), flush=True)
        """,
        own_node,
    )
    assert process.stdout.readline() == "begun\n"
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    code, out, err = end_of(process)
    assert code == 0, err
    taken, rest = map(int, out.split())
    # Nearly each record has a partition of its own.
    assert (taken == 0 and rest == RECORDS) if "results" in call else taken > 10
    assert taken + rest <= RECORDS


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_list_that_did_not_reach_its_caller_is_given_again(client, fresh_set, monkeypatch, at):
    """Ctrl-C may raise right after the extension has returned."""
    everything = fill(client, fresh_set)
    take, calls = QueryRun._take, 0

    def interrupted(run, answer):
        nonlocal calls
        calls += 1
        if calls == at:
            raise InterruptedError
        take(run, answer)

    monkeypatch.setattr(QueryRun, "_take", interrupted)
    query = client.query("test", fresh_set)
    records = query.records()
    found = []
    with pytest.raises(InterruptedError):
        found.extend(records)
    rest = everything - numbers(found)
    assert rest_of(client, fresh_set, query) == rest
    found.extend(records)
    assert numbers(found) == everything


class TestPartitionFilters:
    """A run with the partition filter of the run before continues where that one ended."""

    def pages(self, client, name, run, policies=({"partition_filter": {}},) * 10):
        query = client.query("test", name)
        query.max_records = 40
        found = []
        for policy in policies:
            found.append(run(query, policy))
            if query.is_done():
                break
        return found

    @pytest.mark.parametrize("kind", ["results", "foreach", "records"])
    def test_they_page(self, client, fresh_set, kind):
        everything = fill(client, fresh_set, 100)

        def run(query, policy):
            found = []
            if kind == "foreach":
                query.foreach(lambda partition, record: found.append(record), policy)
            else:
                found += getattr(query, kind)(policy)
            return found

        pages = self.pages(client, fresh_set, run)
        assert [len(page) for page in pages] == [40, 40, 20]
        assert numbers([record for page in pages for record in page]) == everything

    def test_they_page_with_a_new_dict_each_time(self, client, fresh_set):
        fill(client, fresh_set, 100)
        policies = [{"partition_filter": {"begin": 0, "count": 4096}} for _ in range(10)]
        pages = self.pages(client, fresh_set, lambda query, policy: query.results(policy), policies)
        assert [len(page) for page in pages] == [40, 40, 20]

    def test_they_page_with_the_status_of_the_run_before(self, client, fresh_set):
        fill(client, fresh_set, 100)
        query = client.query("test", fresh_set)
        query.max_records = 40
        pages, chosen = [], {}
        while not query.is_done():
            pages.append(query.results({"partition_filter": chosen}))
            chosen = {"partition_status": query.get_partitions_status()}
        assert [len(page) for page in pages] == [40, 40, 20]

    def test_a_status_is_gone_back_to(self, client, fresh_set):
        fill(client, fresh_set, 100)
        query = client.query("test", fresh_set)
        query.max_records = 40
        query.results({"partition_filter": {}})
        policy = {"partition_filter": {"partition_status": query.get_partitions_status()}}
        second = numbers(query.results(policy))
        third = numbers(query.results(policy))
        assert (len(second), len(third), second & third) == (40, 20, set())
        other = client.query("test", fresh_set)
        other.max_records = 40
        assert numbers(other.results(policy)) == second

    def test_when_all_records_came_none_follow(self, client, fresh_set):
        fill(client, fresh_set, 100)
        query = client.query("test", fresh_set)
        policy = {"partition_filter": {}}
        assert [len(query.results(policy)) for _ in range(3)] == [100, 0, 0]

    def test_other_partitions_and_runs_without_a_filter_begin_anew(self, client, fresh_set):
        everything = fill(client, fresh_set)
        query = client.query("test", fresh_set)
        parts = [{"partition_filter": {"begin": begin, "count": 1024}} for begin in range(0, 4096, 1024)]
        assert numbers([record for part in parts for record in query.results(part)]) == everything
        assert numbers(query.results()) == everything
        assert numbers(query.results()) == everything
        assert numbers(query.results({"partition_filter": {}})) == everything
