"""A model hub on loopback, and the store to which it sends for large files: what huggingface.co answers, and what goes wrong with it.

async with FakeHub() as hub:
    commit = hub.add("owner/name", {"config.json": b"{}", "model.safetensors": weights})
    hub.next("model.safetensors", Cut(after=1000), Status(429, {"Retry-After": "7"}))     # then it answers as it should
    ... hub.url, hub.asked

Source: https://huggingface.co/docs/hub/api; headers as in huggingface_hub's constants.py and errors.py.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

LARGE = (".safetensors", ".onnx", ".bin", ".msgpack", ".h5", ".spm", ".model")
"""What lies in the store, as .gitattributes has it for them."""


@dataclass(frozen=True)
class Cut:
    """The connection ends after so many bytes of the body."""

    after: int


@dataclass(frozen=True)
class Status:
    """An answer of another status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wrong:
    """Other bytes, as many."""


@dataclass(frozen=True)
class Drip:
    """A few bytes, and then no more, though the connection stays; or nothing at all."""

    after: int = 0


@dataclass(frozen=True)
class Whole:
    """The whole file, although a part was asked for."""


@dataclass(frozen=True)
class Longer:
    """More than was told, without saying how much."""


@dataclass(frozen=True)
class Garbled:
    """Bytes that are not in the encoding that they are said to be in."""


Trouble = Cut | Status | Wrong | Drip | Whole | Longer | Garbled


@dataclass(frozen=True)
class Asked:
    """A request as it came: where to ("hub" or "store"), what, which bytes, with what token."""

    to: str
    path: str
    begin: str
    token: str
    agent: str


@dataclass
class Repo:
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    gated: str = ""
    """The token that opens it; "" for one that is open."""


class FakeHub:
    """Two servers on ports of their own: two origins, as a hub and its store are."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.asked: list[Asked] = []
        self.sent: dict[str, int] = defaultdict(int)
        """Bytes of bodies that went out, by file name."""
        self.store: dict[str, bytes] = {}
        self.released = asyncio.Event()
        """Set, it lets go of what drips."""
        self._troubles: dict[str, deque[Trouble]] = defaultdict(deque)
        hub, store = web.Application(), web.Application()
        hub.router.add_get("/api/models", self._models)
        hub.router.add_get("/api/models/{owner}/{name}", self._info)
        hub.router.add_get("/api/models/{owner}/{name}/revision/{revision}", self._info)
        hub.router.add_get("/{owner}/{name}/resolve/{revision}/{path:.+}", self._resolve)
        store.router.add_get("/{sha256}/{name}", self._stored)
        self._servers = [TestServer(hub), TestServer(store)]

    async def __aenter__(self) -> Self:
        for server in self._servers:
            await server.start_server()
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.released.set()
        for server in self._servers:
            await server.close()

    @property
    def url(self) -> str:
        return str(self._servers[0].make_url("")).rstrip("/")

    def add(
        self, name: str, files: Mapping[str, bytes] | Path, *, branch: str = "main", gated: str = "", card: Mapping[str, Any] | None = None,
        **said: object,
    ) -> str:  # fmt: skip
        """Put a commit of `files` on top of `branch`; return its name."""
        content = _read(files) if isinstance(files, Path) else dict(files)
        commit = hashlib.sha1(
            repr(sorted((path, _sha256(data)) for path, data in content.items())).encode(), usedforsecurity=False
        ).hexdigest()
        repo = self.repos.setdefault(name, Repo())
        repo.commits[commit], repo.refs[branch], repo.gated = content, commit, gated
        repo.card = {"license": "apache-2.0", "language": ["ko", "en"], **(card or {})}
        repo.said = {"downloads": 10, "lastModified": "2025-03-04T05:06:07.000Z", "tags": [], **said}
        self.store |= {_sha256(data): data for data in content.values()}
        return commit

    def next(self, what: str, *troubles: Trouble) -> None:
        """Have the next answers about a file (by its name), or to "info" and "models", go wrong so."""
        self._troubles[what].extend(troubles)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        self._note("hub", request)
        if trouble := self._trouble("models"):
            return await self._other(request, trouble, b"[]")
        query = request.query
        found = [
            {"id": name, **self._said(name, repo.refs["main"])}
            for name, repo in self.repos.items()
            if query.get("search", "").lower() in name.lower()
            and repo.said.get("pipeline_tag") == query["pipeline_tag"]
            and set(query.getall("filter", [])) <= set(self._tags(repo))
        ]
        found.sort(key=lambda one: -one["downloads"])
        return web.json_response(found[: int(query["limit"])])

    async def _info(self, request: web.Request) -> web.StreamResponse:
        self._note("hub", request)
        if trouble := self._trouble("info"):
            return await self._other(request, trouble, b"{}")
        repo, commit = self._at(request, request.match_info.get("revision", "main"))
        if repo is None or commit is None:
            return _missing(repo)
        return web.json_response({"id": _name(request), "sha": commit, **self._said(_name(request), commit, blobs=True)})

    async def _resolve(self, request: web.Request) -> web.StreamResponse:
        self._note("hub", request)
        path = request.match_info["path"]
        repo, commit = self._at(request, request.match_info["revision"])
        if repo is None or commit is None:
            return _missing(repo)
        if repo.gated and request.headers.get("authorization") != f"Bearer {repo.gated}":
            return web.Response(status=401, headers={"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
        content = repo.commits[commit].get(path)
        if content is None:
            return web.Response(status=404, headers={"X-Error-Code": "EntryNotFound"})
        headers = {"X-Repo-Commit": commit}
        if path.endswith(LARGE):
            at = self._servers[1].make_url(f"/{_sha256(content)}/{path.rpartition('/')[2]}")
            linked = {"X-Linked-Etag": _sha256(content), "X-Linked-Size": str(len(content)), "Location": str(at)}
            return web.Response(status=302, headers=headers | linked)
        return await self._body(request, path.rpartition("/")[2], content, headers)

    async def _stored(self, request: web.Request) -> web.StreamResponse:
        self._note("store", request)
        return await self._body(request, request.match_info["name"], self.store[request.match_info["sha256"]], {})

    async def _body(self, request: web.Request, name: str, content: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
        begin = request.http_range.start or 0
        trouble = self._trouble(name)
        if isinstance(trouble, Status | Longer | Garbled):
            return await self._other(request, trouble, content)
        if isinstance(trouble, Whole):
            begin = 0
        partial = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if begin else {}
        body = bytes(byte ^ 1 for byte in content[begin:]) if isinstance(trouble, Wrong) else content[begin:]
        response = web.StreamResponse(status=206 if begin else 200, headers={**headers, **partial})
        response.content_length = len(body)
        await response.prepare(request)
        if isinstance(trouble, Cut | Drip):
            self.sent[name] += trouble.after
            await response.write(body[: trouble.after])
            if isinstance(trouble, Drip):
                await self.released.wait()
            assert request.transport is not None
            request.transport.close()
            return response
        self.sent[name] += len(body)
        await response.write(body)
        return response

    async def _other(self, request: web.Request, trouble: Trouble, content: bytes) -> web.StreamResponse:
        if isinstance(trouble, Status):
            return web.Response(status=trouble.status, headers=trouble.headers)
        if isinstance(trouble, Drip):
            await self.released.wait()
            return web.Response(status=503)
        if isinstance(trouble, Garbled):
            return web.Response(body=content, headers={"Content-Encoding": "gzip"})
        assert isinstance(trouble, Longer)
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(content + b"more")
        return response

    def _trouble(self, what: str) -> Trouble | None:
        return self._troubles[what].popleft() if self._troubles[what] else None

    def _note(self, to: str, request: web.Request) -> None:
        headers = request.headers
        self.asked.append(
            Asked(to, request.path, headers.get("range", ""), headers.get("authorization", ""), headers.get("user-agent", ""))
        )

    def _at(self, request: web.Request, revision: str) -> tuple[Repo | None, str | None]:
        repo = self.repos.get(_name(request))
        if repo is None:
            return None, None
        return repo, repo.refs.get(revision, revision if revision in repo.commits else None)

    def _tags(self, repo: Repo) -> list[str]:
        files = repo.commits[repo.refs["main"]]
        forms = [form for form in ("safetensors", "onnx") if any(path.endswith(f".{form}") for path in files)]
        return [*repo.said["tags"], *forms, *([f"license:{repo.card['license']}"] if repo.card["license"] else [])]

    def _said(self, name: str, commit: str, *, blobs: bool = False) -> dict[str, Any]:
        repo = self.repos[name]
        siblings = []
        for path, content in repo.commits[commit].items():
            one: dict[str, Any] = {"rfilename": path}
            if blobs:
                one |= {"size": len(content), "blobId": _blob(content)}
            if blobs and path.endswith(LARGE):
                one["lfs"] = {"sha256": _sha256(content), "size": len(content), "pointerSize": 130}
            siblings.append(one)
        card = {key: value for key, value in repo.card.items() if value is not None}
        return {
            **repo.said,
            "gated": "manual" if repo.gated else False,
            "cardData": card,
            "tags": self._tags(repo),
            "siblings": siblings,
        }


def _name(request: web.Request) -> str:
    return f"{request.match_info['owner']}/{request.match_info['name']}"


def _missing(repo: Repo | None) -> web.Response:
    """Return what the hub says to one who is not known: whether a repository is private it does not tell."""
    if repo is None:
        return web.Response(status=401, headers={"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
    return web.Response(status=404, headers={"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id"})


def _read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
