"""Sensor readings in pandas, with a plot by site and hour. Missing readings stay missing.

python examples/sensors_pandas.py [PLOT.png]
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

import aerospike_py as aerospike
from aerospike_py import Client
from aerospike_py.testing import DevServer

NAMESPACE, SET = "test", "readings"
SITES = ("Oslo", "Rome", "Quito")
HOURS = 24

READING = np.dtype([("site", "S8"), ("hour", "u1"), ("temperature", "f4"), ("humidity", "u1")])


def key(site: str, hour: int) -> tuple[str, str, str]:
    return (NAMESPACE, SET, f"{site}:{hour:02}")


def write(client: Client) -> None:
    """Writes a day of readings. Rome's hygrometer fails in the afternoon; Quito has no reading at noon."""
    for mean, site in zip((4, 18, 14), SITES, strict=True):
        for hour in range(HOURS):
            if (site, hour) == ("Quito", 12):
                continue
            bins = {"site": site, "hour": hour, "temperature": mean - 5 * np.cos(hour / 24 * 2 * np.pi)}
            if not (site == "Rome" and hour > 12):
                bins["humidity"] = 40 + hour
            client.put(key(site, hour), bins)


def read(client: Client) -> pd.DataFrame:
    """The readings as a frame, one row per record found."""
    keys = [key(site, hour) for site in SITES for hour in range(HOURS)]
    batch = client.batch_read(keys, _dtype=READING)
    print(f"{int(batch.ok.sum())} of {len(keys)} readings found")
    frame = batch.to_pandas()
    frame = frame[frame["result_code"] == 0]
    return frame.assign(site=frame["site"].map(lambda site: site.decode()))


def plot(frame: pd.DataFrame, path: Path) -> None:
    mpl.use("Agg")  # draws to files, without a window
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, sharex=True, figsize=(7, 6), layout="constrained")
    for site, group in frame.groupby("site"):
        for axis, name in zip(axes, ("temperature", "humidity"), strict=True):
            values = group[name].to_numpy(dtype="float64", na_value=np.nan)
            axis.plot(group["hour"].to_numpy(dtype="int64"), values, marker=".", label=site)
    axes[0].set_ylabel("temperature, °C")
    axes[1].set_ylabel("humidity, %")
    axes[1].set_xlabel("hour")
    axes[0].legend()
    figure.savefig(path)
    plt.close(figure)


def main() -> None:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "sensors.png")
    with DevServer() as server, aerospike.client(server.config).connect() as client:
        write(client)
        frame = read(client)
    print(frame.groupby("site")[["temperature", "humidity"]].agg(["count", "mean", "max"]).round(1))
    plot(frame, path)
    print(f"plotted to {path}")


if __name__ == "__main__":
    main()
