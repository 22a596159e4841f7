"""The front door: the ``genlevel`` command. Commands are imported when they are called, so that the door opens fast."""

from __future__ import annotations

import gc
import importlib
import io
import os
import re
import sys
from typing import Any

import click

from genlevel._version import __version__
from genlevel.cli.repeated import refuse_repeated
from genlevel.cli.signals import end_at_signal

# command -> (module, attribute, what it does in one line, for the list that imports nothing)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "eval": ("genlevel.cli.evaluate", "evaluate", "Evaluate a model on a suite and print its level card."),
    "resume": ("genlevel.cli.resume", "resume", "Continue a run, and ask again what failed."),
    "tune": ("genlevel.cli.tune", "tune", "Pause, resume or stop a run, or change its limits and budget while it goes on."),
    "rescore": ("genlevel.cli.rescore", "rescore", "Parse and score a run's answers again, with ratings or a judge."),
    "runs": ("genlevel.cli.runs", "runs", "List runs."),
    "describe": ("genlevel.cli.describe", "describe", "Name a run, tag it, and keep notes of it."),
    "delete": ("genlevel.cli.delete", "delete", "Delete runs for good, and say first what that frees."),
    "show": ("genlevel.cli.show", "show", "Show a run's result, its failures, one instance or its traffic."),
    "level": ("genlevel.cli.level", "level", "Compute the levels of a result workbook or a run."),
    "score": ("genlevel.cli.score", "score", "Score prediction files and write a result workbook."),
    "export": ("genlevel.cli.export", "export", "Write a run as workbook, predictions, csv, json or bundle."),
    "report": ("genlevel.cli.report", "report", "Write a report of runs as one HTML or Markdown file."),
    "merge": ("genlevel.cli.merge", "merge", "Join runs of one model over different tasks, or of several machines, into one."),
    "verify": ("genlevel.cli.verify", "verify", "Compute a result again from its answers, and say whether it is the same."),
    "leaderboard": ("genlevel.cli.leaderboard", "leaderboard", "Rank measured models, and published ones beside them."),
    "synergy": ("genlevel.cli.synergy", "synergy", "Show on which skills a model's scores reach the specialists' published ones."),
    "certify": ("genlevel.cli.certify", "certify", "Show what is certain of a run's or workbook's verdict, task by task."),
    "compare": ("genlevel.cli.compare", "compare", "Compare two runs of one suite on the instances that both have."),
    "monitor": ("genlevel.cli.monitor", "monitor", "Watch deployed models: ask them again and again, and raise alarms if they change."),
    "models": ("genlevel.cli.models", "models", "List the models that can be evaluated."),
    "prices": ("genlevel.cli.prices", "prices", "List what models cost, or take newer prices from a file."),
    "suites": ("genlevel.cli.suites", "suites", "List the suites that have a name."),
    "tasks": ("genlevel.cli.tasks", "tasks", "List the tasks of General-Bench."),
    "bench": ("genlevel.cli.bench", "bench", "Check a copy of General-Bench, or fetch its open set."),
    "metrics": ("genlevel.cli.metrics", "metrics", "List the metrics, and whether they can run here; fetch their weights."),
    "workers": ("genlevel.cli.workers", "workers", "Show which processes share runs, what they do, and what waits."),
    "doctor": ("genlevel.cli.doctor", "doctor", "Say what is configured, what answers, who may call, and what is missing."),
    "view": ("genlevel.cli.pages", "view", "Show runs, cards and answers in the browser."),
    "up": ("genlevel.cli.services", "up", "Serve all three services, and the pages, in one process."),
    "gateway": ("genlevel.cli.services", "gateway", "Serve the gateway."),
    "evaluator": ("genlevel.cli.services", "evaluator", "Serve the evaluator."),
    "web": ("genlevel.cli.pages", "web", "Serve the pages in front of services elsewhere."),
    "scorer": ("genlevel.cli.services", "scorer", "Serve the scorer."),
    "migrate": ("genlevel.cli.migrate", "migrate", "Bring the database to the tables of this version."),
    "health": ("genlevel.cli.health", "health", "Ask the services of this machine or container whether they are ready."),
    "token": ("genlevel.cli.token", "token", "Make a token for a caller of the services."),
    "install-embedded": ("genlevel.cli.install", "install_embedded", "Install the embedded model."),
}

EXIT_INCOMPLETE = 1
EXIT_USAGE = 2
EXIT_ALARM = 3
EXIT_INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is called or asked for its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return refuse_repeated(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        if name not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            raise click.UsageError(f"no command {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""), ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="genlevel")
@click.option("--config", metavar="FILE", help="Configuration (default: GENLEVEL_CONFIG, else ./genlevel.yaml if it is there).")
@click.pass_context
def cli(ctx: click.Context, config: str | None) -> None:
    """Measure how far a multimodal model is a generalist: General-Level over General-Bench."""
    ctx.obj = config


# A byte of a name that is not UTF-8, as Python reads it.
_ODD_BYTE = re.compile("[\udc80-\udcff]")


def main() -> None:
    """Runs the command line; what is wrong is said in one line, with exit code 2."""
    if os.getpid() == 1:  # of a container
        end_at_signal()
    _open_standard_streams()
    _outlive_readers()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look through all installed packages for some
    gc.set_threshold(250_000)  # modules are not garbage: looking for it while they are imported takes a tenth of a command's time
    try:
        sys.exit(cli.main(prog_name="genlevel", standalone_mode=False) or 0)  # the code that a command gave to ctx.exit
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except click.ClickException as error:
        click.echo(f"genlevel: {_of_usage(error)}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("genlevel: stopped", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        if not (said := _in_one_line(error)):
            raise
        click.echo(f"genlevel: {said}", err=True)
        sys.exit(EXIT_USAGE)
    finally:
        gc.freeze()  # while it ends, Python looks for circles among all modules, twice: a quarter of what a small evaluation takes


def _of_usage(error: click.ClickException) -> str:
    """What is wrong with a command line, in one line that begins and ends as all others here."""
    said = " ".join(error.format_message().split())
    said = said[:1].lower() + said[1:].rstrip(".").replace(". Did", "; did").replace(". (Did", " (did")
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return said
    if isinstance(error, click.MissingParameter) and error.param is not None and "RUN" in error.param.make_metavar(error.ctx):
        said += "; `genlevel runs` lists them"
    return f"{said} (see {error.ctx.command_path} --help)"


def _in_one_line(error: Exception) -> str:
    """The error in one line for a person; "" if it is a mistake in genlevel's own code."""
    from genlevel.runtime.errors import GenlevelError  # takes longer to import than --help may take
    from genlevel.runtime.logs import redact
    from genlevel.runtime.shown import cut

    match error:
        case GenlevelError():
            return redact(str(error))
        case UnicodeEncodeError(reason="surrogates not allowed") if _ODD_BYTE.search(error.object):
            return f"{_not_utf8(error)} is not UTF-8 text; rename that file or folder"
        case OSError():
            return f"{error.strerror or error}" + (f": {cut(str(error.filename), 300)}" if error.filename else "")
        case _:
            return ""


def _not_utf8(error: UnicodeEncodeError) -> str:
    """The text that databases, messages and terminals do not take: an argument, else a name that was met; odd bytes are escaped."""
    odd = next((argument for argument in sys.argv[1:] if not argument.isascii() and _escaped(argument) != argument), None)
    return f"the name '{_escaped(error.object)[:300]}'" if odd is None else f"the argument '{_escaped(odd)}'"


def _escaped(name: str) -> str:
    return _ODD_BYTE.sub(lambda odd: f"\\x{ord(odd[0]) - 0xDC00:02x}", name).encode("utf-8", "backslashreplace").decode()


def _open_standard_streams() -> None:
    """Opens the null device for each stream that the caller closed (``>&-``): else output would go to the next file that is opened."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


class _Unread(io.FileIO):
    """A standard stream whose reader may leave (``genlevel eval ... | head -1``): the rest goes nowhere, and the command to its end."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data)


def _outlive_readers() -> None:
    """Lets a command end with its own exit code even if whoever reads its output has left."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        stream.flush()
        file = io.BufferedWriter(_Unread(stream.fileno(), "w", closefd=False))
        buffered = name == "stdout" and not stream.isatty()
        setattr(sys, name, io.TextIOWrapper(file, stream.encoding, stream.errors, line_buffering=not buffered))
