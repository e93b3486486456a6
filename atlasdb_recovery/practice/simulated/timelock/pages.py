"""Bodies and headers of the server's answers, written as it writes them."""

from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

JSON = "application/json"
_NAMES = {
    400: ("INVALID_ARGUMENT", "Default:InvalidArgument"),
    401: ("UNAUTHORIZED", "Conjure:MissingCredentials"),
    403: ("PERMISSION_DENIED", "Default:PermissionDenied"),
    404: ("NOT_FOUND", "Default:NotFound"),
    405: ("javax.ws.rs.NotAllowedException", "NotAllowedException"),
    406: ("javax.ws.rs.NotAcceptableException", "NotAcceptableException"),
    415: ("javax.ws.rs.NotSupportedException", "NotSupportedException"),
    500: ("INTERNAL", "Default:Internal"),
}
_SAID = {404: "Not Found", 503: "Service Unavailable"}


class Reply(NamedTuple):
    status: int
    headers: dict[str, str] = {}
    body: bytes = b""


def json_reply(value: Any, status: int = 200) -> Reply:
    return Reply(status, {"Content-Type": JSON}, msgspec.json.encode(value))


def failed(status: int, name: str = "") -> Reply:
    """An error as Conjure writes it."""
    code, usual = _NAMES[status]
    error = {"errorCode": code, "errorName": name or usual, "errorInstanceId": str(uuid4()), "parameters": {}}
    return json_reply(error, status)


def not_logged() -> Reply:
    """An error of the layer beneath: no more namespaces can be made."""
    said = "There was an error processing your request. It has been logged (ID 626486ad28d33f1c)."
    return json_reply({"code": 500, "message": said}, 500)


def html_page(status: int, path: str, servlet: str) -> Reply:
    """The web server's own page: a node that is not the leader, or nothing that is served here."""
    said = _SAID[status]
    page = f"""<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>
<title>Error {status} {said}</title>
</head>
<body><h2>HTTP ERROR {status} {said}</h2>
<table>
<tr><th>URI:</th><td>{path}</td></tr>
<tr><th>STATUS:</th><td>{status}</td></tr>
<tr><th>MESSAGE:</th><td>{said}</td></tr>
<tr><th>SERVLET:</th><td>{servlet}</td></tr>
</table>

</body>
</html>
"""
    headers = {"Cache-Control": "must-revalidate,no-cache,no-store", "Content-Type": "text/html;charset=iso-8859-1"}
    return Reply(status, headers, page.encode())
