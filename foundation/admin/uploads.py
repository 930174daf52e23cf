"""Pages that take a file: one that is too large is refused before it is read."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from foundation.admin.pages import AdminPage

# What a browser sends around the file: its name, the other fields.
AROUND_THE_FILE = 64 * 1024


# A body is read when its CSRF token is looked for: the page looks for it itself, after a look at the body's length.
@method_decorator(csrf_exempt, name="dispatch")
class UploadPage(AdminPage):
    """A page whose POST may carry a file of up to `largest_upload` bytes."""

    largest_upload: ClassVar[int]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.is_too_long(request) and self.may_open(request):
            return self.refuse_length(request)
        answer: HttpResponseBase = csrf_protect(super().dispatch)(request, *args, **kwargs)
        return answer

    def is_too_long(self, request: HttpRequest) -> bool:
        """Whether the body says that it holds more than such a file."""
        return is_too_long(request, largest=self.largest_upload)

    def refuse_length(self, request: HttpRequest) -> HttpResponse:
        """Says that the file is too large. May not touch `request.POST`, which would read the body."""
        raise NotImplementedError


def is_too_long(request: HttpRequest, *, largest: int) -> bool:
    """Whether the body of a POST says that it holds more than a file of `largest` bytes; it is not read for that."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    return request.method == "POST" and length > largest + AROUND_THE_FILE
