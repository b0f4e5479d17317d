"""Reviews: objects that ask who one is and what one may do, answered and never stored.

Source: kubernetes v1.36 pkg/registry/authorization, pkg/registry/authentication and
    pkg/apis/authorization/validation/validation.go. differs: the selectors of resourceAttributes,
    which RBAC does not look at, are not checked.
"""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.authentication import AUDIENCES, Authenticator, InvalidTokenError
from pilotfish.cluster.errors import GroupKind, bad_request, internal_error, invalid
from pilotfish.cluster.field_errors import FieldError, field_invalid
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac.attributes import Attributes, PathAttributes, ResourceAttributes
from pilotfish.cluster.rbac.authorizer import Authorizer
from pilotfish.cluster.requests import ApiRequest, User
from pilotfish.cluster.timestamps import timestamp

AUTHORIZATION: Final = "authorization.k8s.io"


class Reviews:
    """Answers the reviews of authorization.k8s.io/v1 and authentication.k8s.io/v1."""

    def __init__(self, authorizer: Authorizer, authenticator: Authenticator) -> None:
        self._authorizer = authorizer
        self._authenticator = authenticator

    def answer(self, request: ApiRequest, now: float) -> JsonObject:
        """Answer the creation of a review with the complete review.

        Raises:
            StatusError: The review is refused.
        """
        kind, user, review = request.resource.kind, request.user, request.body
        match kind:
            case "SelfSubjectAccessReview" | "SubjectAccessReview" | "LocalSubjectAccessReview":
                content = self._access(kind, review, user, request.namespace)
            case "SelfSubjectRulesReview":
                content = self._rules(review, user)
            case "TokenReview":
                content = self._token(review, now)
            case "SelfSubjectReview":
                metadata = {"creationTimestamp": timestamp(now)}
                content = {"metadata": metadata, "status": {"userInfo": _user_info(user)}}
            case _:
                raise internal_error(f"no review of kind {kind} is defined")
        return {"kind": kind, "apiVersion": request.resource.api_version, **content}

    def _access(self, kind: str, review: JsonObject, user: User, namespace: str) -> JsonObject:
        spec = review.get("spec") or {}
        if errors := _access_errors(kind, review, spec, namespace):
            raise invalid(GroupKind(AUTHORIZATION, ""), "", errors)  # upstream leaves out the kind
        if kind != "SelfSubjectAccessReview":
            user = User(spec.get("user", ""), tuple(spec.get("groups") or ()))
        decision = self._authorizer.allowed(user, _attributes(spec))
        status: JsonObject = {"allowed": decision.allowed}
        if decision.reason:
            status["reason"] = decision.reason
        return {"metadata": review.get("metadata") or {}, "spec": spec, "status": status}

    def _rules(self, review: JsonObject, user: User) -> JsonObject:
        namespace = (review.get("spec") or {}).get("namespace")
        if not namespace:
            raise bad_request("no namespace on request")
        rules, missing = self._authorizer.rules_of(user, namespace)
        resource_rules = [
            {
                "verbs": rule.verbs,
                "apiGroups": rule.api_groups,
                "resources": rule.resources,
                **({"resourceNames": rule.resource_names} if rule.resource_names else {}),
            }
            for rule in rules
            if rule.resources
        ]
        path_rules = [
            {"verbs": rule.verbs, "nonResourceURLs": rule.non_resource_urls}
            for rule in rules
            if rule.non_resource_urls
        ]
        status: JsonObject = {
            "resourceRules": resource_rules,
            "nonResourceRules": path_rules,
            "incomplete": False,
        }
        if missing:
            status["evaluationError"] = missing
        return {"metadata": {}, "spec": {}, "status": status}

    def _token(self, review: JsonObject, now: float) -> JsonObject:
        spec = review.get("spec") or {}
        if not spec.get("token"):
            raise bad_request("token is required for TokenReview in authentication")
        audiences = spec.get("audiences") or AUDIENCES
        status: JsonObject
        try:
            user, proven = self._authenticator.identify(spec["token"], audiences, now)
        except InvalidTokenError as error:
            status = {"user": {}, "error": str(error)}
        else:
            status = {"authenticated": True, "user": _user_info(user), "audiences": proven}
        return {"metadata": review.get("metadata") or {}, "spec": spec, "status": status}


def _user_info(user: User) -> JsonObject:
    parts = {
        "username": user.name,
        "uid": user.uid,
        "groups": user.groups,
        "extra": user.extra,
    }
    return {key: value for key, value in parts.items() if value}


def _attributes(spec: JsonObject) -> Attributes:
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        wanted = spec["nonResourceAttributes"]
        return PathAttributes(verb=wanted.get("verb", ""), path=wanted.get("path", ""))
    return ResourceAttributes(
        verb=wanted.get("verb", ""),
        group=wanted.get("group", ""),
        resource=wanted.get("resource", ""),
        subresource=wanted.get("subresource", ""),
        namespace=wanted.get("namespace", ""),
        name=wanted.get("name", ""),
    )


def _access_errors(
    kind: str, review: JsonObject, spec: JsonObject, namespace: str
) -> list[FieldError]:
    on_resource, on_path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    errors = []
    if on_resource is not None and on_path is not None:
        detail = "cannot be specified in combination with resourceAttributes"
        errors.append(_path_error(on_path, detail))
    if on_resource is None and on_path is None:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        errors.append(field_invalid("spec.resourceAttributes", None, detail))
    if kind != "SelfSubjectAccessReview" and not (spec.get("user") or spec.get("groups")):
        detail = "at least one of user or group must be specified"
        errors.append(field_invalid("spec.user", "", detail))
    metadata = dict(review.get("metadata") or {})
    if kind == "LocalSubjectAccessReview":
        metadata.pop("namespace", None)
        if on_resource is not None and on_resource.get("namespace", "") != namespace:
            path, value = "spec.resourceAttributes.namespace", on_resource.get("namespace", "")
            errors.append(field_invalid(path, value, "must match metadata.namespace"))
        if on_path is not None:
            errors.append(_path_error(on_path, "disallowed on this kind of request"))
    if metadata:
        errors.append(field_invalid("metadata", review["metadata"], "must be empty"))
    return errors


def _path_error(attributes: JsonObject, detail: str) -> FieldError:
    told = {"Path": attributes.get("path", ""), "Verb": attributes.get("verb", "")}
    return field_invalid("spec.nonResourceAttributes", told, detail)
