"""What a long-running caller keeps of one rebuild of the feeds for the next: digests, entries and their text, bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from syndicate.model import Brief
from syndicate.render.entry import Entry, Fragments

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_ENTRIES_BYTES: Final = 16_000_000
_FRAGMENTS_BYTES: Final = 32_000_000
_BESIDE: Final = 1_000  # bytes of one value beside its text, about


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """One brief as it stands in feeds."""

    brief: Brief  # without its body, for which its ``content_sha`` stands
    entry: Entry
    cleaned: bool  # characters that no feed can carry were taken out

    def shows(self, brief: Brief) -> bool:
        """Whether this is how ``brief`` looks: nearly always the very one, which takes no comparing."""
        return self.brief is brief or self.brief == brief


class Limited(MutableMapping[Key, Value], Generic[Key, Value]):
    """A mapping that forgets what was asked for longest ago once its values weigh too much."""

    def __init__(self, most: int, weight: Callable[[Value], int]) -> None:
        """``weight`` of a value and ``most`` of all together are bytes."""
        self._most = most
        self._weight = weight
        self._room = most
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __getitem__(self, key: Key) -> Value:
        value = self._values[key]
        self._values.move_to_end(key)
        return value

    def get(self, key: Key, default: Any = None) -> Any:  # noqa: ANN401 - as a mapping's
        """As every mapping's, without an error raised on the way: a rebuild asks hundreds of times."""
        if key not in self._values:
            return default
        self._values.move_to_end(key)
        return self._values[key]

    def __setitem__(self, key: Key, value: Value) -> None:
        if key in self._values:
            del self[key]
        self._values[key] = value
        self._room -= self._weight(value)
        while self._room < 0:
            self._room += self._weight(self._values.popitem(last=False)[1])

    def __delitem__(self, key: Key) -> None:
        self._room += self._weight(self._values.pop(key))

    def __iter__(self) -> Iterator[Key]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Memory(dict[str, str]):
    """A feed's name -> digest of what it was last made from; and what its entries looked like."""

    def __init__(self) -> None:
        """Know nothing yet."""
        super().__init__()
        self.pages: dict[str, int] = {}  # how many archives each feed had
        self.windows: dict[str, tuple[Brief, ...]] = {}  # what each feed of the settings held, without bodies
        self.made: Limited[str, Made] = Limited(_ENTRIES_BYTES, lambda made: 2 * len(made.entry.content) + _BESIDE)
        self.fragments: Fragments = Limited(_FRAGMENTS_BYTES, lambda found: len(found[1]) + _BESIDE)
