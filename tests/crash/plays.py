"""What befalls a sender, each as a play in a scene; it tells what went wrong. The mutants are tried with the same plays."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crash import editor
from crash.scenes import LEISURELY, copied
from syndicate.model import Frequency

if TYPE_CHECKING:
    from crash.scenes import Scene

HANGS = 15.0  # seconds for a mail: longer than the play
SECOND = 2  # the epoch of what was claimed a second time


def asleep(scene: Scene) -> list[str]:
    """It sleeps past its lease while another takes over, and wakes: what was wrong with that."""
    scene.slow = LEISURELY
    scene.behave()
    scene.run_until(5)
    sleeper = scene.doze()
    refused = scene.run_once() == 1 and "another `syndicate run`" in scene.said()
    scene.database.with_name("syndicate.db.lock").unlink(missing_ok=True)  # somebody is sure that it is dead
    scene.slow = 0.0
    scene.behave()
    scene.run_once()
    decided, witnessed = scene.settled(), len(scene.mails())
    scene.wake(sleeper, 3.0)
    wrong = [] if refused else ["two ran on one database"]
    if not decided <= scene.settled():
        wrong.append("who woke changed what another had settled")
    if len(scene.mails()) > witnessed:
        wrong.append("who woke sent what another had sent")
    scene.outcome.kills = 1  # for what it had on the wire
    return wrong + scene.judged()


def overtaken(scene: Scene) -> list[str]:
    """It sleeps with mails on the wire, another sends them again as the newsletter asks for, and the first one's results come late."""
    scene.set('channel = "mail"\n', 'channel = "mail"\non_uncertain = "resend"\n')
    scene.slow = LEISURELY
    scene.behave()
    scene.run_until(5)
    sleeper = scene.doze()
    on_the_wire = {(sending, place) for sending, place, state, _ in scene.in_hand() if state == "sending"}
    scene.database.with_name("syndicate.db.lock").unlink()
    scene.slow = HANGS
    scene.behave()
    scene.start("run", "--no-web")
    again = set[tuple[object, ...]]()
    while not again:  # those of the first one that the second has on the wire by now
        assert scene.program.wait(0.05) is None
        again = {row for row in scene.in_hand() if row[2] == "sending" and row[3] == SECOND and row[:2] in on_the_wire}
    other = scene.doze()
    theirs = scene.in_hand()
    scene.program.swap(sleeper)
    scene.program.signal(signal.SIGCONT)
    scene.program.wait(2.0)
    scene.program.kill()
    wrong = [] if theirs <= scene.in_hand() else [f"who woke changed what another had in hand: {theirs - scene.in_hand()}"]
    scene.program.swap(other)
    scene.program.kill()
    return wrong


def left(scene: Scene) -> list[str]:
    """All readers of one kind leave, by another process, while messages are claimed, dealt out and made."""
    scene.slow = LEISURELY
    scene.behave()
    scene.run_until(5)
    scene.gone |= scene.leave(Frequency.INSTANT)
    begun = scene.begun(scene.gone)
    scene.program.wait(2.0)
    scene.stop()
    wrong = scene.judged()
    late = sum(to in scene.gone for to in scene.mails()) - begun
    return wrong + ["who had left got mail without an intent from before"] * late


def held(scene: Scene) -> list[str]:
    """An editor holds the newsletter, by another process, while messages are claimed, dealt out and made."""
    scene.slow = LEISURELY
    scene.behave()
    scene.run_until(5)
    scene.hold("digest")
    begun = scene.begun(set(scene.everybody()))
    scene.program.wait(2.0)
    wrong = ["mail went on behind a hold without an intent from before"] * (len(scene.mails()) - begun)
    if scene.stop() != 0 or scene.command("release", "digest", "--continue") != 0:
        wrong.append("it did not stop, or was not released")
    return wrong + scene.judged()


def slowed_down(scene: Scene) -> list[str]:
    """A fast relay grows slow when intents for a group are recorded; then the program is stopped. No kill: nothing is in doubt."""
    scene.set("timeout = 20", "timeout = 20\nconnections = 1")
    scene.run_until(14)
    scene.slow = 0.5
    scene.behave()
    scene.program.wait(1.2)
    scene.stop()
    scene.slow = 0.0
    scene.judged()
    in_doubt = [f"{scene.outcome.uncertain} in doubt, and nothing was killed"] if scene.outcome.uncertain else []
    return in_doubt + scene.outcome.complaints


def restored(scene: Scene) -> list[str]:
    """Somebody puts an older database in the place of this one: nothing is sent until a person has claimed it."""
    scene.run_once()
    older = copied(scene.database, scene.root / "older.db")
    scene.save()
    for _ in range(2):
        scene.run_once()
    scene.restore(older)
    before = len(scene.news())
    wrong = (
        [] if scene.run_once() == 1 and "run `syndicate claim`" in scene.said() else ["it did not ask for `syndicate claim`"]
    )
    return wrong + ["an older database sent something"] * (len(scene.news()) - before)


def cut_off(scene: Scene) -> list[str]:
    """The relay takes every mail and cuts before it has answered: all of them wait for a person."""
    scene.behave(cuts=True)
    scene.run_once()
    cut = len(scene.mails())
    wrong = [] if cut and scene.states().get("uncertain") == cut else [f"{scene.states()} after {cut} lost answers"]
    wrong += scene.judged()
    counted = (scene.outcome.uncertain, scene.outcome.gone)
    return wrong if counted == (cut, cut) else [*wrong, f"{counted} are in doubt and gone, and {cut} were cut"]


def lied_to(scene: Scene) -> list[str]:
    """The relay offers pipelining, and throws away what comes along with a message."""
    scene.set("timeout = 20", "timeout = 1")
    scene.behave(liar=True, pipelining=True)
    scene.run_once()
    wrong = scene.judged()
    return [*wrong, f"{scene.outcome.uncertain} are in doubt"] if scene.outcome.uncertain else wrong


def threaded(scene: Scene) -> list[str]:
    """The program dies between the posts of a thread, at each of them, on three networks."""
    scene.run_once()
    scene.plain, scene.editor.lengths = False, (2,)
    scene.save()
    begun = datetime.now(UTC)
    for number in range(8):
        later = (begun + timedelta(seconds=10 * number)).isoformat()
        _killed(scene, "run", "--once", "--at", later, point="runtime.before_settle:3")
    return scene.judged()


def put_right(scene: Scene) -> list[str]:
    """A correction is killed wherever it can be: each post is put right once, and each reader told once."""
    scene.run_once()
    (brief,) = scene.briefs
    scene.editor.corrected.append(brief)
    asked = scene.editor.correction(brief)
    for point in editor.POINTS["correct"]:
        _killed(scene, *asked, point=point)
    for network in ("mastodon", "bluesky"):
        scene.hold(network)
    _killed(scene, *asked, point="runtime.before_settle")  # X alone has it, and no key by which it would know it again
    for network in ("mastodon", "bluesky"):
        scene.command("release", network, "--continue")
    for point in ("runtime.after_intent", "runtime.before_settle:2", "lane.before_settle"):
        _killed(scene, *asked, point=point)
    return scene.judged()


def _killed(scene: Scene, *arguments: str, point: str) -> None:
    scene.outcome.kills += scene.command(*arguments, point=point) == -signal.SIGKILL
