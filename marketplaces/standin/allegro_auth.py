"""Allegro's authorisation: the device code flow, and refresh tokens that rotate.

Allegro's published specification has no word on it; what is here follows RFC 8628 and what sellers' programmers have
reported to github.com/allegro/allegro-api (issues 11017, 2429, 8321, 2553, 5613, 11373).
"""

import base64
import binascii
import html
import secrets
from typing import Any

from marketplaces.standin import tokens
from marketplaces.standin.messages import Answer, Request
from marketplaces.standin.routing import Routes
from marketplaces.standin.sellers import ALLEGRO, Seller
from marketplaces.standin.world import World

routes = Routes("/allegro-auth")

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_SECONDS = 3600
INTERVAL = 5
SCOPES = (
    "allegro:api:orders:read",
    "allegro:api:orders:write",
    "allegro:api:sale:offers:read",
    "allegro:api:sale:offers:write",
)
# A poll may come that much too early: clocks and networks are not exact.
TOLERANCE = 0.5
# An exchanged refresh token goes on working for so long (issue 8321).
GRACE_SECONDS = 60.0
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def refusal(status: int, error: str, description: str = "") -> Answer:
    return Answer(status, {"error": error, "error_description": description or error})


def seller_of(world: World, request: Request) -> Seller | Answer:
    """Returns the seller whose application calls, by its id and secret."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id = secret = ""
    seller = world.by_key.get((ALLEGRO, client_id))
    if scheme.lower() != "basic" or seller is None or not secrets.compare_digest(seller.keys["client_secret"], secret):
        return refusal(401, "invalid_client", "Bad client credentials")
    return seller


@routes.post("/auth/oauth/device")
def device(world: World, request: Request, _seller: Seller | None) -> Answer:
    """Gives a code to the program and one to the person."""
    seller = seller_of(world, request)
    if isinstance(seller, Answer):
        return seller
    if request.form().get("client_id") != seller.id.partition(":")[2]:
        return refusal(400, "invalid_request", "client_id does not match")
    code = secrets.token_urlsafe(24)
    user_code = "".join(secrets.choice(LETTERS) for _ in range(9))
    world.keep(
        "device",
        code,
        {
            "seller": seller.id,
            "user_code": user_code,
            "expires_at": world.clock.now() + DEVICE_SECONDS,
            "interval": INTERVAL,
            "polled_at": 0.0,
            "polls": 0,
            "decision": "",
        },
    )
    page = f"{request.base_url}/allegro-auth/skojarz-aplikacje"
    return Answer(
        200,
        {
            "device_code": code,
            "user_code": user_code,
            "expires_in": DEVICE_SECONDS,
            "interval": INTERVAL,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?code={user_code}",
        },
    )


@routes.post("/auth/oauth/token")
def token(world: World, request: Request, _seller: Seller | None) -> Answer:
    """Exchanges a device code or a refresh token for a pair of tokens."""
    seller = seller_of(world, request)
    if isinstance(seller, Answer):
        return seller
    form = request.form()
    grant = form.get("grant_type", "")
    if grant == DEVICE_GRANT:
        return poll(world, seller, form.get("device_code", ""))
    if grant == "refresh_token":
        return refresh(world, seller, form.get("refresh_token", ""))
    return refusal(400, "unsupported_grant_type", f"Unsupported grant type: {grant}")


def poll(world: World, seller: Seller, code: str) -> Answer:
    now = world.clock.now()
    record = world.shelf("device").get(code)
    if record is None or record["seller"] != seller.id or record["expires_at"] < now or record["decision"] == "used":
        return refusal(400, "invalid_request", "Invalid device code")
    is_early = bool(record["polled_at"]) and now < record["polled_at"] + record["interval"] - TOLERANCE
    record["polled_at"] = now
    if is_early:
        record["interval"] += INTERVAL
        world.keep("device", code, record)
        return refusal(400, "slow_down", "Too many requests, slow down")
    record["polls"] += 1
    if (
        not record["decision"]
        and world.options.approve_after is not None
        and record["polls"] > world.options.approve_after
    ):
        record["decision"] = "allowed"
    decision = record["decision"]
    if decision == "allowed":
        record["decision"] = "used"
    world.keep("device", code, record)
    if decision == "refused":
        return refusal(400, "access_denied", "User denied access")
    if decision != "allowed":
        return refusal(400, "authorization_pending", "Authorization pending")
    return Answer(200, pair(world, seller))


def refresh(world: World, seller: Seller, text: str) -> Answer:
    """Gives a new pair for a refresh token; the token itself is good for a minute more."""
    now = world.clock.now()
    used = world.shelf("used_token")
    # The demo shop's accounts are born with this one: it starts a pair as often as a shop is filled.
    is_first = bool(text) and text == seller.keys.get("first_refresh_token")
    if not is_first:
        found = tokens.read(text)
        used_at = used[text]["at"] if text in used else None
        if (
            found is None
            or found.kind != "refresh"
            or found.seller != seller.id
            or found.expires_at < now
            or (used_at is not None and now > used_at + GRACE_SECONDS)
        ):
            return refusal(400, "invalid_grant", f"Invalid refresh token: {text}")
        if used_at is None:
            world.keep("used_token", text, {"at": now, "expires_at": found.expires_at})
    return Answer(200, pair(world, seller))


def pair(world: World, seller: Seller) -> dict[str, Any]:
    now = world.clock.now()
    return {
        "access_token": tokens.make("access", seller.id, now=now, seconds=tokens.ACCESS_SECONDS),
        "token_type": "bearer",
        "refresh_token": tokens.make("refresh", seller.id, now=now, seconds=tokens.REFRESH_SECONDS),
        "expires_in": tokens.ACCESS_SECONDS,
        "scope": " ".join(SCOPES),
        "allegro_api": True,
        "jti": world.uuid(),
    }


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Stand-in for Allegro</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem }}
button, input {{ font: inherit; padding: .5rem 1rem; margin: .25rem .5rem .25rem 0 }}</style></head>
<body><h1>Stand-in for Allegro</h1><p>{text}</p>{form}</body></html>"""
FORM = """<form method="post" action="/allegro-auth/skojarz-aplikacje">
<p><label>Code <input name="code" value="{code}" required></label></p>
<button name="decision" value="allowed">Allow</button><button name="decision" value="refused">Refuse</button></form>"""


def page(text: str, form: str = "", status: int = 200) -> Answer:
    return Answer(status, PAGE.format(text=html.escape(text), form=form), media="text/html; charset=utf-8")


@routes.get("/skojarz-aplikacje")
def ask(_world: World, request: Request, _seller: Seller | None) -> Answer:
    """The page on which the seller says yes or no."""
    return page(
        "May this shop see and change your orders and offers?", FORM.format(code=html.escape(request.first("code")))
    )


@routes.post("/skojarz-aplikacje")
def decide(world: World, request: Request, _seller: Seller | None) -> Answer:
    form = request.form()
    decision = form.get("decision", "")
    if decision not in ("allowed", "refused") or not decide_for(world, form.get("code", ""), decision):
        return page("This code is unknown, or has been used.", FORM.format(code=""), 404)
    return page("Allowed: go back to the shop." if decision == "allowed" else "Refused.")


def decide_for(world: World, user_code: str, decision: str) -> bool:
    """Lets the device with this code in ("allowed") or not ("refused"); False if nobody waits with it."""
    for code, record in world.shelf("device").items():
        if record["user_code"] == user_code.strip().upper() and not record["decision"]:
            record["decision"] = decision
            world.keep("device", code, record)
            return True
    return False
