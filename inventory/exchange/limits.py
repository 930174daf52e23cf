"""How large a spreadsheet may be. Checked before the file is read, and while it is."""

MEGABYTE = 1024 * 1024
LARGEST_FILE = 5 * MEGABYTE
# A workbook is a zip archive: a small one can hold a large one.
LARGEST_UNPACKED = 20 * MEGABYTE
MOST_PARTS = 500
# Every element of the XML costs memory, however short it is; 2,000 lines need a tenth of these.
MOST_TAGS = 500_000
# Each is written by itself, with its checks and its locks: so many are done well before a web server loses patience.
MOST_LINES = 2000
MOST_COLUMNS = 30
# What a spreadsheet itself puts into a cell.
LONGEST_CELL = 32_767


def as_megabytes(size: int) -> int:
    return size // MEGABYTE
