"""The chart of a day as a PNG, for messages. On a ground of its own, so that it is readable in any chat."""

import datetime
from functools import cache
from io import BytesIO

from django.contrib.staticfiles import finders
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from PIL import Image, ImageDraw, ImageFont

from foundation.money import money
from monitoring.report.chart import Bar, DayChart

# Drawn twice as large as it is sent, so that its edges are smooth. Sent it is as wide as a phone's chat shows it
# sharply, and twice as wide as high.
REDUCED = 2
WIDTH, HEIGHT = 2000, 1000
LEFT, RIGHT, TOP, BOTTOM = 64, 64, 196, 116
GROUND, INK, QUIET, LINE = "#ffffff", "#111827", "#6b7280", "#e5e7eb"
BAR, BEFORE = "#c2410c", "#f5dccd"
LARGE, MIDDLE, SMALL = 60, 48, 44
# The theme's own; free (SIL Open Font License 1.1), and with Cyrillic letters, which Pillow's has not.
FONT = "unfold/fonts/inter/Inter-Medium.woff2"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def font(size: int) -> Font:
    """The font of the picture; Pillow's own where the theme's can't be read."""
    path = finders.find(FONT)
    try:
        return ImageFont.truetype(str(path), size) if path else ImageFont.load_default(size)
    except OSError:
        return ImageFont.load_default(size)


def picture_of(chart: DayChart) -> bytes:
    """The chart as a PNG with words in the active language."""
    image = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    draw = ImageDraw.Draw(image)
    floor, height, width = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP, WIDTH - LEFT - RIGHT

    def y(percent: float) -> float:
        return floor - percent / 100 * height

    def x(percent: float) -> float:
        return LEFT + percent / 100 * width

    def draw_bar(bar: Bar, colour: str) -> None:
        if bar.height:
            box = (x(bar.left), y(bar.height), x(bar.left + bar.width), floor)
            radius = min(12.0, (box[2] - box[0]) / 2, floor - box[1])
            draw.rounded_rectangle(box, radius, fill=colour, corners=(True, True, False, False))

    for line in chart.lines:
        draw.line((LEFT, y(line.height), WIDTH - RIGHT, y(line.height)), fill=LINE, width=3)
    for hour in chart.hours:
        draw_bar(hour.before, BEFORE)
        draw_bar(hour.bar, BAR)
        if hour.is_named:
            draw.text((x(hour.middle), floor + 28), hour.label, QUIET, font(MIDDLE), anchor="ma")
    draw.line((LEFT, floor, WIDTH - RIGHT, floor), fill=QUIET, width=3)
    for line in chart.lines:
        # Over the bars, on a halo of the ground.
        place = (LEFT, y(line.height) - 8)
        draw.text(place, money(line.amount), QUIET, font(SMALL), anchor="ls", stroke_width=6, stroke_fill=GROUND)
    write_legend(draw, chart)
    written = BytesIO()
    image.reduce(REDUCED).save(written, "PNG", optimize=True)
    return written.getvalue()


def write_legend(draw: ImageDraw.ImageDraw, chart: DayChart) -> None:
    """What is drawn, and which colour is which day."""
    draw.text((LEFT, 44), _("Revenue by hour"), INK, font(LARGE), anchor="la")
    days = [(chart.day_before, BEFORE, QUIET)] if chart.compares else []
    right = float(WIDTH - RIGHT)
    for day, colour, ink in (*days, (chart.day, BAR, INK)):
        name = day_name(day)
        right -= draw.textlength(name, font(MIDDLE))
        draw.text((right, 54), name, ink, font(MIDDLE), anchor="la")
        draw.rounded_rectangle((right - 60, 62, right - 20, 102), radius=10, fill=colour)
        right -= 116


def day_name(day: datetime.date) -> str:
    """Sat, 21 Nov."""
    return date_format(day, pgettext("format of a date", "D, j M"))
