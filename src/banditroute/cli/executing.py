"""Who does a command's work: options that commands share whose work can be cut into shares."""

from typing import Annotated

import typer

Jobs = Annotated[int, typer.Option(metavar="N", help="How many processes; 0: one for each processor.")]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Scheduler of a Dask cluster that does the work, such as tcp://10.0.0.5:8786."
    ),
]
