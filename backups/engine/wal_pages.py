"""The inside of a WAL segment, as PostgreSQL writes it (access/xlog_internal.h, xlogrecord.h; the same since 11).

pg_waldump checks the checksum of every record. What no checksum covers is looked at here: the headers of the pages,
the gaps between records, and the unused rest. Records are walked by their lengths alone.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from backups.engine.wal_names import Lineage, Segment, format_lsn

PAGE = 8192
# xlp_magic, xlp_info, xlp_tli, xlp_pageaddr, xlp_rem_len, padding; of a segment's first page also the system
# identifier, the segment's size and the page's.
HEADER = struct.Struct("=HHIQII")
LONG_HEADER = struct.Struct("=HHIQIIQII")
LENGTH = struct.Struct("=I")
CONTINUES, IS_LONG, IS_REMOVABLE, DROPS_THE_LAST = 1, 2, 4, 8
KNOWN_FLAGS = CONTINUES | IS_LONG | IS_REMOVABLE | DROPS_THE_LAST
RECORD_HEADER = 24
# In a record's header: the kind in the upper half of this byte, then the resource manager (0 is that of WAL itself).
INFO, MANAGER = 16, 17
XLOG_SWITCH = 0x40
# A record's length above this is refused by PostgreSQL.
LONGEST_RECORD = 1020 * 1024 * 1024


class Kind(StrEnum):
    """What can be wrong with a segment or the whole archive."""

    MISSING = "missing"
    SIZE = "size"
    EMPTY = "empty"
    DAMAGED = "damaged"
    CHANGED = "changed"
    MISPLACED = "misplaced"
    FOREIGN = "foreign"
    TIMELINE = "timeline"
    DOUBLE = "double"
    HISTORY = "history"
    RECEIVER = "receiver"
    SLOT = "slot"
    BEHIND = "behind"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong inside a segment, in a sentence, and where."""

    kind: Kind
    lsn: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk over a segment's records found.

    `flaw`: the first thing that is wrong. `first`, `last`: where its first and last records begin (None: it holds
    nothing but a piece of a longer one). `end`: up to where there are records, without a last one that is cut off;
    `known`: up to where there are pages; `rest`: how many bytes of its last record are in the next segment.
    """

    flaw: Flaw | None = None
    first: int | None = None
    last: int | None = None
    end: int = 0
    known: int = 0
    rest: int = 0


def walk(
    data: bytes,
    segment: Segment,
    *,
    system_identifier: str = "",
    lineage: Lineage | None = None,
    is_partial: bool = False,
) -> Walked:
    """Looks at the bytes of a segment.

    Args:
        system_identifier: of the cluster that it must come from, "" if that is unknown.
        lineage: tells the timeline of each page; without it a page may be of any timeline up to the segment's.
        is_partial: it is still being received: the WAL may end anywhere, and behind that are zeros.
    """
    if len(data) != segment.size:
        return _flawed(
            Kind.SIZE,
            segment.start,
            _("it has %(found)d bytes instead of %(expected)d") % {"found": len(data), "expected": segment.size},
        )
    written = len(data.rstrip(b"\0"))
    if written == 0:
        if is_partial:
            return Walked(end=segment.start, known=segment.start)
        return _flawed(Kind.EMPTY, segment.start, _("it holds nothing but zeros"))
    return _Walk(data, segment, system_identifier, lineage, is_partial, written).all()


def _flawed(kind: Kind, lsn: int, sentence: str) -> Walked:
    return Walked(flaw=Flaw(kind, lsn, sentence))


class _Broken(Exception):
    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.sentence)
        self.flaw = flaw


class _Walk:
    """One walk. `body` is the segment without its pages' headers: a record is in one piece there."""

    def __init__(
        self,
        data: bytes,
        segment: Segment,
        system_identifier: str,
        lineage: Lineage | None,
        is_partial: bool,
        written: int,
    ) -> None:
        self.data, self.segment, self.lineage, self.is_partial = data, segment, lineage, is_partial
        self.system_identifier, self.written = system_identifier, written
        self.body = b"".join(
            data[start + (HEADER.size if start else LONG_HEADER.size) : start + PAGE]
            for start in range(0, len(data), PAGE)
        )
        self.flags: list[int] = []
        self.lengths: list[int] = []

    def all(self) -> Walked:
        try:
            self._read_headers()
            return self._walk_records()
        except _Broken as broken:
            return Walked(flaw=broken.flaw)

    # --- where a byte of the body is --------------------------------------------------------------------

    def _page_of(self, position: int) -> int:
        return (position + LONG_HEADER.size - HEADER.size) // (PAGE - HEADER.size)

    def _begin_of(self, page: int) -> int:
        """Where a page's body begins."""
        return page * (PAGE - HEADER.size) - (LONG_HEADER.size - HEADER.size) if page else 0

    def _offset(self, position: int) -> int:
        """Where a byte of the body is in the segment."""
        return position + LONG_HEADER.size + self._page_of(position) * HEADER.size

    def _lsn(self, position: int) -> int:
        """Where a record begins that begins at this byte."""
        return self.segment.start + self._offset(position)

    def _end_lsn(self, position: int) -> int:
        """Where a record ends whose last byte is before this one. At a page's end that is before the next header."""
        return self._lsn(position - 1) + 1 if position else self.segment.start

    # --- pages ------------------------------------------------------------------------------------------

    def _read_headers(self) -> None:
        """Reads the headers of all pages that something was written to."""
        magic = HEADER.unpack_from(self.data)[0]
        for number, start in enumerate(range(0, self.written, PAGE)):
            fields = HEADER.unpack_from(self.data, start)
            if not any(fields) and number == 0:
                raise self._broken(self.segment.start, _("there are zeros where WAL has to be"), Kind.EMPTY)
            if not any(fields):
                # After a switch of the WAL there are no headers; whether there was one, the records say.
                return
            self._check_header(number, magic, fields)
            self.flags.append(fields[1])
            self.lengths.append(fields[4])

    def _check_header(self, number: int, magic: int, fields: tuple[int, ...]) -> None:
        lsn = self.segment.start + number * PAGE
        found_magic, flags, timeline, address, length, padding = fields
        if number == 0:
            self._check_origin(lsn)
        if address != lsn:
            if number == 0 and address % self.segment.size == 0:
                other = Segment.at(address, timeline=timeline, size=self.segment.size)
                raise self._broken(lsn, _("it holds the WAL of %(other)s") % {"other": other.name}, Kind.MISPLACED)
            raise self._broken(
                lsn,
                _("the page at %(lsn)s says that it is the one at %(found)s")
                % {"lsn": format_lsn(lsn), "found": format_lsn(address)},
            )
        if self.lineage is not None:
            is_right = timeline == self.lineage.timeline_at(lsn)
        else:
            is_right = 0 < timeline <= self.segment.timeline
        if not is_right:
            raise self._broken(
                lsn,
                _("the page at %(lsn)s is of timeline %(found)d") % {"lsn": format_lsn(lsn), "found": timeline},
                Kind.TIMELINE,
            )
        is_long = bool(flags & IS_LONG)
        is_continued = bool(flags & CONTINUES)
        if (
            found_magic != magic
            or flags & ~KNOWN_FLAGS
            or is_long != (number == 0)
            or is_continued != (length > 0)
            or (is_continued and flags & DROPS_THE_LAST)
            or padding
        ):
            raise self._broken(lsn, _("the page at %(lsn)s has a broken header") % {"lsn": format_lsn(lsn)})

    def _check_origin(self, lsn: int) -> None:
        """The long header: whose WAL it is."""
        found, segment_size, page_size = LONG_HEADER.unpack_from(self.data)[6:]
        if page_size != PAGE or segment_size != self.segment.size:
            raise self._broken(lsn, _("the page at %(lsn)s has a broken header") % {"lsn": format_lsn(lsn)})
        if self.system_identifier and str(found) != self.system_identifier:
            raise self._broken(
                lsn,
                _("it is of the database cluster %(found)d, and the backups are of %(expected)s")
                % {"found": found, "expected": self.system_identifier},
                Kind.FOREIGN,
            )

    # --- records ----------------------------------------------------------------------------------------

    def _walk_records(self) -> Walked:
        body, pages = self.body, len(self.flags)
        # Up to here there are pages with a header.
        seen = self.segment.start + pages * PAGE
        known = self._begin_of(pages) if pages * PAGE < len(self.data) else len(body)
        first = last = None
        page_begin, page_end = 0, self._begin_of(1)
        end = self._passed(0, self.lengths[0]) if self.lengths[0] else 0
        # A quarter of a million times for a segment of short records: most begin and end in one page.
        while end < known:
            begin = (end + 7) & ~7
            if begin > end and body[end:begin].strip(b"\0"):
                raise self._broken(self._lsn(end), _("there is something behind the record that ends here"))
            if begin >= known:
                break
            if begin >= page_end:
                page = self._page_of(begin)
                page_begin, page_end = self._begin_of(page), self._begin_of(page + 1)
            if begin == page_begin:
                self._need_no_rest(begin)
            (length,) = LENGTH.unpack_from(body, begin)
            if length == 0 and self.is_partial:
                self._need_nothing_from(begin)
                return Walked(None, self._place(first), self._place(last), self._end_lsn(end), seen)
            if not RECORD_HEADER <= length <= LONGEST_RECORD:
                raise self._broken(self._lsn(begin), _("no record begins where one has to"))
            end = begin + length
            if end > page_end:
                end = self._passed(begin, length)
            first, last = begin if first is None else first, begin
            if length == RECORD_HEADER and end <= known and self._is_switch(begin):
                self._need_nothing_from(end)
                return Walked(None, self._place(first), self._place(last), self.segment.end, self.segment.end)
        if known < len(body):
            # Pages are missing: of what is still being received only the last record may want them.
            if not self.is_partial:
                raise self._broken(
                    self.segment.start + pages * PAGE, _("there are zeros where WAL has to be"), Kind.EMPTY
                )
            self._need_nothing_from(known)
        first_lsn, last_lsn = self._place(first), self._place(last)
        if end > known:
            return Walked(None, first_lsn, last_lsn, last_lsn or self.segment.start, seen, max(0, end - len(body)))
        return Walked(None, first_lsn, last_lsn, self._end_lsn(end), seen)

    def _place(self, position: int | None) -> int | None:
        return self._lsn(position) if position is not None else None

    def _passed(self, begin: int, length: int) -> int:
        """Where a record ends; the pages that it goes on in have to say so. A server that crashed within a record
        gives it up and begins anew with the next page: that is its end then."""
        end = begin + length
        page = self._page_of(begin) + 1
        while page < len(self.flags) and (at := self._begin_of(page)) < end:
            if self.flags[page] & DROPS_THE_LAST:
                return at
            if self.lengths[page] != end - at:
                lsn = self.segment.start + page * PAGE
                raise self._broken(
                    lsn, _("the page at %(lsn)s does not go on where the last one ended") % {"lsn": format_lsn(lsn)}
                )
            page += 1
        return end

    def _need_no_rest(self, begin: int) -> None:
        """A page that begins with a record of its own does not go on with another."""
        page = self._page_of(begin)
        if page and begin == self._begin_of(page) and self.lengths[page]:
            lsn = self.segment.start + page * PAGE
            raise self._broken(
                lsn, _("the page at %(lsn)s does not go on where the last one ended") % {"lsn": format_lsn(lsn)}
            )

    def _is_switch(self, begin: int) -> bool:
        return self.body[begin + MANAGER] == 0 and self.body[begin + INFO] & 0xF0 == XLOG_SWITCH

    def _need_nothing_from(self, position: int) -> None:
        offset = self._offset(position) if position < len(self.body) else len(self.data)
        # Before the body of a page that was not begun there is no header either.
        page = self._page_of(position)
        if page >= len(self.flags) and position == self._begin_of(page):
            offset = page * PAGE
        if self.written > offset:
            raise self._broken(self.segment.start + offset, _("there is something in the unused rest"))

    def _broken(self, lsn: int, sentence: str, kind: Kind = Kind.DAMAGED) -> _Broken:
        return _Broken(Flaw(kind, lsn, sentence))
