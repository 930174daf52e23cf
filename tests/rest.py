"""A client of the API for tests: signed in with a real token, asserting as it goes."""

from typing import Any

from rest_framework.test import APIClient

from tests.shop import user_of
from users.models import User
from users.services.tokens import issue_token

ROOT = "/api/v1/"


class Rest:
    """The API as one person sees it. Paths are relative to /api/v1/."""

    def __init__(self, user: User | None = None) -> None:
        self.user = user
        self.client = APIClient()
        if user is not None:
            self.client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(user=user, name='test').secret}")

    @classmethod
    def of(cls, role: str) -> "Rest":
        return cls(user_of(role))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        address = path if path.startswith("/") else ROOT + path
        if method == "get":
            return self.client.get(address, headers=headers)
        return getattr(self.client, method)(address, body, format="json", headers=headers)

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self.client.get(path if path.startswith(("/", "http")) else ROOT + path, parameters or None)
        return self.answered(answer, 200)

    def post(self, path: str, body: Any = None, status: int = 201, **headers: str) -> Any:
        return self.answered(self.call("post", path, body, **headers), status)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return self.answered(self.call("patch", path, body), status)

    def delete(self, path: str, status: int = 204) -> Any:
        return self.answered(self.call("delete", path), status)

    def refused(self, method: str, path: str, body: Any = None, *, status: int, kind: str, at: Any = None) -> Any:
        """Asserts that the request is refused as {type, detail, …}, with a sentence at each of the fields `at`."""
        answer = self.answered(self.call(method, path, body), status)
        assert answer["type"] == kind, answer
        assert answer["detail"], answer
        if at is not None:
            assert set(answer["errors"]) == ({at} if isinstance(at, str) else set(at)), answer
            assert all(lines and all(lines) for lines in answer["errors"].values()), answer
        return answer

    def answered(self, answer: Any, status: int) -> Any:
        assert answer.status_code == status, (answer.status_code, answer.content[:2000])
        return answer.json() if answer.content else None
