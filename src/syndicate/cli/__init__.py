"""The command line: one file per noun. Reads arguments and prints; decides nothing that a room could decide.

Nothing heavy is imported here, and only the module of the command that was named: ``--help`` stays quick.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False  # as typing's own, which alone costs a third of what `--help` may take
if TYPE_CHECKING:
    from typing import Final

# In the order of a first meeting; each name is a module of this package with ``add`` and ``run``.
COMMANDS: Final = {
    "init": "make a publication in a new folder",
    "demo": "make the sample publication and run it; nothing leaves this machine",
    "run": "the main job: sources in; feeds, editions and posts out, on schedule",
    "check": "name every fault of settings, content, templates and quotes",
    "plan": "what will go where and when, and what will not and why",
    "slots": "list | move | skip | restore: what comes when, and moving one of them",
    "preview": "every rendering of one item, byte for byte what would leave",
    "feeds": "rebuild the feeds now",
    "editions": "list | show | send | retry | test: the newsletters' editions and their books",
    "posts": "list | show | send: briefs and quotes on the social channels",
    "quotes": "list | submit | verify | approve | reject: the pool, and who answers for it",
    "people": "add | list | remove: who verifies and who approves",
    "subscribers": "list | add | import | export | show | erase: the readers",
    "keys": "list | rotate: what signs the links in mails",
    "explain": "did this person get that edition, when, and why not",
    "deliveries": "list | settle | retry: what was sent, waits or went wrong",
    "bounces": "read | fetch: what comes back, from a pipe, a file or the mailbox",
    "channels": "list | doctor | test: the outlets, and whether they are ready",
    "hold": "stop a channel, the quotes, an edition or everything",
    "release": "lift a hold",
    "correct": "put an item right: feeds, pages, posts, and a mail to those who had the wrong version",
    "withdraw": "take an item back: feeds, pages, posts; and what cannot be taken back",
    "claim": "say that this copy is the one that sends",
    "ids": "write: put the items' permanent ids into their files",
    "status": "the whole publication on one screen",
    "yesterday": "the day before on one screen: what left, what did not, and what tomorrow lacks",
    "db": "upgrade | check | backup: the database",
}
OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
DEBUG: Final = "SYNDICATE_DEBUG"  # set in the environment: show tracebacks


class Parser(argparse.ArgumentParser):
    """A parser that keeps the line breaks of descriptions and examples, and takes no abbreviated options."""

    def __init__(self, prog: str, *, description: str, example: str = "", usage: str | None = None) -> None:
        """``example`` is shown below the options."""
        super().__init__(
            prog=prog,
            usage=usage,
            description=description,
            epilog=f"example:\n{example}" if example else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 something failed (and is named), 2 usage."""
    _prepare()
    code = _guarded(list(sys.argv[1:] if argv is None else argv))
    try:
        sys.stdout.flush()
    except OSError as error:
        # The reader of our output has left, which is its right, or there is no room for it; nothing more can be
        # written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED if isinstance(error, BrokenPipeError) else _explain(error)
    return code


def _prepare() -> None:
    """Somewhere to print to, and no letter that cannot be: UTF-8, or what the terminal takes with escapes for the rest."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever called us
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding=stream.encoding if stream.isatty() else "utf-8", errors="backslashreplace")


def _guarded(arguments: list[str]) -> int:
    """One command, whatever happens in it."""
    try:
        return _dispatch(arguments)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except BrokenPipeError:
        return FAILED
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last door: a person sees one line, never a traceback
        return _explain(error)


def parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command, or of ``syndicate`` itself where ``name`` is empty."""
    if name:
        module = importlib.import_module(f"syndicate.cli.{name}")
        made: argparse.ArgumentParser = module.parser(f"syndicate {name}")
        return made
    width = max(len(command) for command in COMMANDS)
    top = Parser(
        "syndicate",
        usage="syndicate [-C DIR] COMMAND …",
        description="Publish briefs and a daily quote as feeds, mail and posts.\n\ncommands:\n"
        + "\n".join(f"  {command:{width}}  {text}" for command, text in COMMANDS.items())
        + "\n\n`syndicate COMMAND --help` tells more about each.",
        example="  syndicate init letter --sample\n  syndicate -C letter run",
    )
    top.add_argument("-C", dest="folder", metavar="DIR", default=".", help="the publication's folder (default: this one)")
    top.add_argument("--version", action="store_true", help="print the version and leave")
    return top


def _dispatch(arguments: list[str]) -> int:
    split = _command_at(arguments)
    top = parser("")
    chosen = top.parse_args(arguments[:split])
    if chosen.version:
        from importlib.metadata import version

        print(f"syndicate {version('syndicate-publisher')}")
        return OK
    if split == len(arguments):
        top.print_help(sys.stderr)
        return USAGE
    name = arguments[split]
    if name not in COMMANDS:
        return _unknown(name)
    args = parser(name).parse_args(arguments[split + 1 :], chosen)
    run = importlib.import_module(f"syndicate.cli.{name}").run
    return int(run(args))


def _command_at(arguments: Sequence[str]) -> int:
    """Where the command stands: behind our own options."""
    position = 0
    while position < len(arguments) and arguments[position].startswith("-"):
        position += 2 if arguments[position] == "-C" else 1
    return min(position, len(arguments))


def _unknown(name: str) -> int:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "`syndicate --help` lists the commands"
    print(f"syndicate: there is no command `{name}`; {hint}", file=sys.stderr)
    return USAGE


def _explain(error: Exception) -> int:
    """One clear line for each thing that is wrong."""
    if os.environ.get(DEBUG):
        import traceback

        traceback.print_exception(error)
        return FAILED
    from syndicate.cli.output import note
    from syndicate.errors import FaultyError, SyndicateError

    if isinstance(error, FaultyError) and error.faults:
        for fault in error.faults:
            note(str(fault))
    elif isinstance(error, SyndicateError):
        note(f"syndicate: {error}")
    elif isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        note(f"syndicate: {place}{error.strerror or error}")
    elif isinstance(error, OverflowError):
        print("syndicate: a number or a date is out of range; nothing here is that large or that far away", file=sys.stderr)
        return USAGE
    else:
        print(f"internal error: {type(error).__name__}; set {DEBUG}=1 to see where, and report it", file=sys.stderr)
    return FAILED
