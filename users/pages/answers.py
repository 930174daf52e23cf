"""How a refusal of a service becomes a form with a sentence at the right field."""

from django.forms import Form
from django.http import HttpRequest, HttpResponse

from foundation.errors import InvalidInput, Refusal
from users.errors import TooManyAttempts

# The names that services have for the forms' fields.
FIELDS = {"password": "password1"}


class RefusingFormView:
    """A form view whose `form_valid` may raise a Refusal: the form is shown again and says why.

    To stand before Django's FormView. A limit that is reached answers with status 429 and Retry-After.
    """

    request: HttpRequest

    def form_valid(self, form: Form) -> HttpResponse:
        try:
            return self.act(form)
        except Refusal as refusal:
            return self.form_refused(form, refusal)

    def act(self, form: Form) -> HttpResponse:
        """Makes the one call of a service, and answers. Raises Refusal."""
        raise NotImplementedError

    def form_refused(self, form: Form, refusal: Refusal) -> HttpResponse:
        say_why(form, refusal)
        response: HttpResponse = self.form_invalid(form)  # type: ignore[attr-defined]
        if isinstance(refusal, TooManyAttempts):
            response.status_code = 429
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response


def say_why(form: Form, refusal: Refusal) -> None:
    """Puts the refusal's sentences at the fields that they are about, or above the form."""
    errors = refusal.errors if isinstance(refusal, InvalidInput) else {}
    said = False
    for name, sentences in errors.items():
        field = name if name in form.fields else FIELDS.get(name, "")
        if field in form.fields:
            for sentence in sentences:
                form.add_error(field, sentence)
            said = True
    if not said:
        form.add_error(None, refusal.detail)
