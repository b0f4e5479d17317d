import pytest

from pilotfish.client.errors import ConfigError
from pilotfish.client.proxy import bypasses, checked_proxy, proxy_from_env


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "direct"),
    [
        ("", "api.example.com", 443, False),
        ("*", "api.example.com", 443, True),
        ("example.com", "example.com", 443, True),
        ("example.com", "api.example.com", 443, True),
        ("example.com", "badexample.com", 443, False),
        (".example.com", "api.example.com", 443, True),
        (".example.com", "example.com", 443, False),
        ("*.example.com", "api.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("EXAMPLE.com", "api.Example.COM", 443, True),
        ("example.com:6443", "example.com", 6443, True),
        ("example.com:6443", "example.com", 443, False),
        ("other, example.com ,", "example.com", 443, True),
        ("10.0.0.1", "10.0.0.1", 443, True),
        ("10.0.0.1:6443", "10.0.0.1", 443, False),
        ("10.0.0.1:6443", "10.0.0.1", 6443, True),
        ("10.0.0.0/8", "10.20.30.40", 443, True),
        ("10.0.0.0/8", "11.0.0.1", 443, False),
        ("10.0.0.0/8", "ten.example.com", 443, False),
        ("10.0.0.9/8", "10.1.1.1", 443, True),
        ("fd00::/8", "fd00::1", 443, True),
        ("[fd00::1]:6443", "fd00::1", 6443, True),
        ("[fd00::1]:6443", "fd00::1", 443, False),
        ("fd00::1", "fd00::1", 443, True),
        ("0.0.1", "10.0.0.1", 443, False),
        (":6443", "example.com", 6443, False),
        ("not/a/network", "example.com", 443, False),
    ],
)
def test_no_proxy_means_what_go_says(no_proxy: str, host: str, port: int, *, direct: bool) -> None:
    """Source: golang.org/x/net v0.51 http/httpproxy/proxy_test.go, UseProxyTests, in our values."""
    assert bypasses(host, port, no_proxy) is direct


@pytest.mark.parametrize(
    ("server", "env", "proxy"),
    [
        ("https://api:6443", {}, ""),
        ("https://api:6443", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://api:6443", {"https_proxy": "p:3128"}, "http://p:3128"),
        ("https://api:6443", {"HTTPS_PROXY": "http://a", "https_proxy": "http://b"}, "http://a"),
        ("https://api:6443", {"HTTP_PROXY": "http://p:3128"}, ""),
        ("http://api:8080", {"HTTP_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://api", {"HTTPS_PROXY": "http://p", "NO_PROXY": "api:443"}, ""),
        ("https://api", {"HTTPS_PROXY": "http://p", "no_proxy": "api"}, ""),
        ("https://localhost:6443", {"HTTPS_PROXY": "http://p"}, ""),
        ("https://127.0.0.5:6443", {"HTTPS_PROXY": "http://p"}, ""),
        ("https://[::1]:6443", {"HTTPS_PROXY": "http://p"}, ""),
        ("https://10.0.0.1:6443", {"HTTPS_PROXY": "http://p"}, "http://p"),
    ],
)
def test_the_environment_s_proxy(server: str, env: dict[str, str], proxy: str) -> None:
    assert proxy_from_env(server, env) == proxy


def test_a_socks_proxy_is_refused_without_telling_its_password() -> None:
    with pytest.raises(ConfigError, match=r"^proxy-url: this socks5 URL") as caught:
        checked_proxy("socks5://me:pa55@host:1080", "proxy-url")

    assert "pa55" not in f"{caught.value} {caught.value.hint}"
    assert "CONNECT" in caught.value.hint
