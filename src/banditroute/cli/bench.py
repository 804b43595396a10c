"""`banditroute bench`: every model of the pool on one's own prompts."""

from pathlib import Path
from typing import Annotated

import typer

from banditroute.cli import arguments
from banditroute.cli.chart_files import Export, Report, check_export
from banditroute.cli.executing import Cluster, Jobs
from banditroute.sweeping.choosing import executor_of

Out = Annotated[
    Path | None, typer.Option(metavar="TABLE", help="Outcome table to write: .jsonl, .jsonl.gz, .csv or .parquet.")
]
Models = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only this model; repeatable. [default: all of the pool]")
]
MaxUsd = Annotated[
    float | None, typer.Option(metavar="X", help="Most dollars to spend in all, earlier runs of TABLE included.")
]
MaxTokens = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Longest answer to prompts that name no max_tokens.")
]
Repeat = Annotated[int, typer.Option(metavar="N", min=1, help="How often each model is asked each prompt.")]
Concurrency = Annotated[int, typer.Option(metavar="N", min=1, help="Most calls under way at a time.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Make calls again that failed in an earlier run.")]
KeepAnswers = Annotated[bool, typer.Option("--keep-answers", help="Keep the answers in TABLE.calls.")]
KeepPrompts = Annotated[bool, typer.Option("--keep-prompts", help="Put the prompts into TABLE.")]


def command(
    prompts: Annotated[Path, typer.Argument(metavar="PROMPTS", help="JSON lines: .jsonl or .jsonl.gz.")],
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The pool, and who grades.")],
    out: Out = None,
    model: Models = None,
    repeat: Repeat = 1,
    concurrency: Concurrency = 8,
    max_usd: MaxUsd = None,
    max_tokens: MaxTokens = None,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what it will cost, and stop.")] = False,
    retry_failed: RetryFailed = False,
    keep_answers: KeepAnswers = False,
    keep_prompts: KeepPrompts = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    report: Report = None,
    export: Export = None,
) -> None:
    """Ask every model your own prompts, and grade the answers.

    Says which differences are real. PROMPTS has {"prompt"} or {"messages"} on each line, with "id", "task" and
    "expected" where they are known; other fields, such as "max_tokens", are sent along. TABLE is what `banditroute
    simulate` takes. Each finished call is on record in TABLE.calls: run the same command again to go on where it ended;
    nothing is paid twice. Calls are made here, whatever --jobs and --cluster say: these grade.
    """
    arguments.check_report(report)
    check_export(export)

    from banditroute.benching.settings import RunSettings
    from banditroute.cli.benching import Wanted, run  # numpy and rich, which --help can do without

    wanted = Wanted(
        prompts=prompts,
        config=config,
        out=out,
        models=tuple(model or ()),
        repeats=repeat,
        max_tokens=max_tokens,
        settings=RunSettings(concurrency, max_usd, keep_answers, keep_prompts, retry_failed),
        executor=executor_of(jobs, cluster),
        dry_run=dry_run,
        json=json,
        report=report,
        export=export,
    )
    run(wanted)
