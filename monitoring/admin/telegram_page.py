"""The page that leads to a Telegram channel: the bot's token, the chat, a test message.

Between the steps the token is kept in the session, encrypted, and thrown away with the last one. No step shows it.
"""

import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminPasswordWidget

from foundation.admin.forms import ThemedForm
from foundation.admin.pages import AdminPage
from foundation.admin.qr import qr_picture
from foundation.admin.refusals import add_refusal
from foundation.encryption import CanNotDecrypt, decrypt, encrypt
from foundation.errors import InvalidInput, Refusal
from monitoring.admin.channel_fields import language_field, name_field
from monitoring.channels.addresses import LONGEST_SECRET
from monitoring.models import Delivery
from monitoring.services.telegram import bot_of, chats_of, connect_chat

SESSION_KEY = "telegram_channel"
KINDS = {
    "private": gettext_lazy("person"),
    "group": gettext_lazy("group"),
    "supergroup": gettext_lazy("group"),
    "channel": gettext_lazy("channel"),
}


class TokenForm(ThemedForm):
    """How the channel is called, and the bot's token."""

    name = name_field()
    token = forms.CharField(
        label=gettext_lazy("Bot token"),
        max_length=LONGEST_SECRET,
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    language = language_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].help_text = (
            _("Empty: the one in TELEGRAM_BOT_TOKEN.") if settings.TELEGRAM_BOT_TOKEN else _("It is stored encrypted.")
        )


@method_decorator(sensitive_post_parameters("token"), name="dispatch")
class TelegramPage(AdminPage):
    """Each step is a POST with `do`: token, look, choose, begin."""

    path, name = "telegram/", "telegram"
    title = gettext_lazy("Connect a Telegram chat")
    permission = "monitoring.add_channel"
    template_name = "monitoring/telegram.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(form=TokenForm())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        steps = {"token": self.take_token, "look": self.look, "choose": self.choose}
        step = steps.get(request.POST.get("do", ""))
        return step(request) if step else self.begin_again(request)

    # --- the steps ------------------------------------------------------------------------------------------

    def take_token(self, request: HttpRequest) -> HttpResponse:
        form = TokenForm(request.POST)
        if not form.is_valid():
            return self.show(form=form)
        data = form.cleaned_data
        try:
            bot = bot_of(token=data["token"])
        except Refusal as refusal:
            add_refusal(form, refusal)
            return self.show(form=form)
        request.session[SESSION_KEY] = {
            "name": data["name"],
            "language": data["language"],
            "token": encrypt(data["token"]),
            "bot": bot.username,
            # Whoever writes this to the bot is the one who looks at the page.
            "code": secrets.token_hex(4),
        }
        return HttpResponseRedirect(request.path)

    def look(self, request: HttpRequest) -> HttpResponse:
        kept = self.kept()
        if kept is None:
            return self.begin_again(request)
        try:
            chats = chats_of(token=kept["token"])
        except Refusal as refusal:
            self.say(refusal)
            return self.show(form=TokenForm())
        if not chats:
            sentence = _("Nobody has written to the bot yet. Write it a few words, then look again.")
            self.model_admin.message_user(request, sentence, messages.WARNING)
        shown = [
            {"chat": chat, "kind": KINDS.get(chat.kind, chat.kind), "is_sure": kept["code"] in chat.said}
            for chat in chats
        ]
        return self.show(form=TokenForm(), chats=sorted(shown, key=lambda one: not one["is_sure"]))

    def choose(self, request: HttpRequest) -> HttpResponse:
        kept = self.kept()
        if kept is None:
            return self.begin_again(request)
        try:
            test = connect_chat(
                name=kept["name"],
                language=kept["language"],
                token=kept["token"],
                chat_id=request.POST.get("chat", ""),
                at=timezone.now(),
            )
        except Refusal as refusal:
            self.say(refusal)
            return self.show(form=TokenForm())
        del request.session[SESSION_KEY]
        channel = test.channel
        self.model_admin.log_addition(request, channel, [{"added": {}}])
        if test.status == Delivery.Status.SENT:
            sentence = _("“%(channel)s” is connected. A test message has gone there: look whether it has arrived.")
            self.model_admin.message_user(request, sentence % {"channel": channel}, messages.SUCCESS)
        else:
            sentence = _("“%(channel)s” is added, but the test message was not taken. %(reason)s")
            said = {"channel": channel, "reason": test.last_error}
            self.model_admin.message_user(request, sentence % said, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:monitoring_channel_change", args=[channel.pk]))

    def begin_again(self, request: HttpRequest) -> HttpResponse:
        request.session.pop(SESSION_KEY, None)
        return HttpResponseRedirect(request.path)

    # --- the page -------------------------------------------------------------------------------------------

    def kept(self) -> dict[str, str] | None:
        """What the first step has brought; None if that was in another session, or under another key."""
        kept: dict[str, str] | None = self.request.session.get(SESSION_KEY)
        if kept is None:
            return None
        try:
            return {**kept, "token": decrypt(kept["token"])}
        except CanNotDecrypt:
            return None

    def say(self, refusal: Refusal) -> None:
        """As a message: the second step has no fields. A name that is taken by now is such a case."""
        fields = refusal.errors.values() if isinstance(refusal, InvalidInput) else ()
        sentences = [sentence for field in fields for sentence in field] or [refusal.detail]
        self.model_admin.message_user(self.request, " ".join(sentences), messages.ERROR)

    def show(self, **more: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**more))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kept: dict[str, str] | None = self.request.session.get(SESSION_KEY)
        address = "" if kept is None else f"https://t.me/{kept['bot']}?start={kept['code']}"
        return super().get_context_data(
            kept=kept,
            bot_address=address,
            group_address="" if kept is None else f"https://t.me/{kept['bot']}?startgroup={kept['code']}",
            qr=qr_picture(address) if address else "",
            **{"chats": None, **kwargs},
        )
