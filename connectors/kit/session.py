"""A session for calls that are prepared once, follow nowhere and mostly carry no cookie: requests without what it does for browsers.

Of a short call's processor time requests spent a third on cookie jars, on choosing a pool by what TLS it wants, and on a redirect to follow
(docs/performance.md).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import ConnectionPool


class Kept(HTTPAdapter):
    """One pool for each house, found by its name: verification and certificates are the session's, and never change."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._pools: dict[tuple[str, str], ConnectionPool] = {}

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> ConnectionPool:
        house = urlsplit(request.url or "")[:2]
        found = self._pools.get(house)
        if found is None:
            found = self._pools[house] = super().get_connection_with_tls_context(request, verify, proxies, cert)
            super().cert_verify(found, request.url or "", verify, cert)  # type: ignore[no-untyped-call]  # not in the stubs
        return found

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Said to the pool when it was made."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        return request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        made = requests.Response()
        made.status_code, made.reason = resp.status, resp.reason
        made.headers = CaseInsensitiveDict(resp.headers)
        made.url, made.raw, made.request = req.url or "", resp, req
        return made


class Lean(requests.Session):
    """Proxies and .netrc of the environment are not for us. Cookies that a house sets are kept, and sent from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, Kept(pool_connections=2, pool_maxsize=2, max_retries=0))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        if (
            len(self.cookies)
            or self.auth
            or self.params
            or request.auth
            or request.cookies
            or "@" in (request.url or "")
        ):
            return super().prepare_request(request)
        made = requests.PreparedRequest()
        made.prepare_method((request.method or "").upper())
        made.prepare_url(request.url or "", request.params)
        made.prepare_headers({**self.headers, **(request.headers or {})})
        made.prepare_body(request.data, request.files, request.json)
        return made

    def send(self, request: requests.PreparedRequest, **told: Any) -> requests.Response:
        if told.pop("allow_redirects", True) or not told.get("stream"):
            raise ValueError("A call follows no redirect, and its answer is read as it comes.")
        if self.proxies:
            told["proxies"] = self.proxies
        adapter = self.get_adapter(request.url or "")
        answer = adapter.send(request, verify=True if self.verify is None else self.verify, cert=self.cert, **told)
        if "set-cookie" in answer.headers:
            extract_cookies_to_jar(self.cookies, request, answer.raw)  # type: ignore[no-untyped-call]  # not in the stubs
        return answer
