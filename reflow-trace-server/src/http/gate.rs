//! Host and Origin: which names a request may use, and which pages it may come from.
//!
//! A page on the web can make its visitor's browser talk to a server on the visitor's loopback. Two
//! things betray it: the `Host` it uses, when it made its own name resolve to 127.0.0.1 (DNS
//! rebinding), and the `Origin`, which browsers send with every WebSocket. A client that is no browser
//! sends no Origin and loses nothing. An address written out in `Host` cannot be a trick with names.

use std::net::IpAddr;

use crate::config::Config;

/// Which hosts and origins are let through.
#[derive(Debug)]
pub(crate) struct Gate {
    hosts: Vec<String>,
    origins: Vec<String>,
    allow_null_origin: bool,
}

/// Why a request is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// There is no `Host`, or it is none.
    NoHost,
    /// A name that is not ours.
    Host,
    /// A page that is not ours.
    Origin,
}

impl Gate {
    pub(crate) fn new(config: &Config) -> Self {
        let lower = |list: &[String]| -> Vec<String> {
            let clean = |text: &String| text.trim().trim_end_matches('/').to_ascii_lowercase();
            list.iter().map(clean).collect()
        };
        Self {
            hosts: lower(&config.http.hosts),
            origins: lower(&config.http.origins),
            allow_null_origin: config.insecure.allow_null_origin,
        }
    }

    /// Whether a request with these headers may come in.
    pub(crate) fn judge(&self, host: Option<&[u8]>, origin: Option<&[u8]>) -> Result<(), Foreign> {
        let authority = host.and_then(authority).ok_or(Foreign::NoHost)?;
        let (name, _) = split_port(&authority).ok_or(Foreign::NoHost)?;
        if !is_loopback(name)
            && as_address(name).is_none()
            && !self.hosts.iter().any(|host| host == name)
        {
            return Err(Foreign::Host);
        }
        match origin {
            None => Ok(()),
            Some(origin) if self.knows_origin(origin, &authority) => Ok(()),
            Some(_) => Err(Foreign::Origin),
        }
    }

    fn knows_origin(&self, origin: &[u8], authority: &str) -> bool {
        let Ok(origin) = std::str::from_utf8(origin) else {
            return false;
        };
        let origin = origin.trim().to_ascii_lowercase();
        if origin == "null" {
            return self.allow_null_origin;
        }
        if self.origins.contains(&origin) {
            return true;
        }
        let web = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        web.is_some_and(|from| {
            from == authority || split_port(from).is_some_and(|(name, _)| is_loopback(name))
        })
    }
}

/// `Host` in lower case, if it can be one.
fn authority(host: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(host).ok()?.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    (!text.is_empty() && text.len() <= 300 && text.bytes().all(allowed))
        .then(|| text.to_ascii_lowercase())
}

/// The name without its port; `[::1]` keeps its brackets.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end_of_name = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (name, rest) = authority.split_at_checked(end_of_name)?;
    let port = match rest.strip_prefix(':') {
        Some(port) => Some(port.parse().ok()?),
        None if rest.is_empty() => None,
        None => return None,
    };
    (!name.is_empty()).then_some((name, port))
}

fn is_loopback(name: &str) -> bool {
    name == "localhost"
        || name.ends_with(".localhost")
        || as_address(name).is_some_and(|address| address.is_loopback())
}

fn as_address(name: &str) -> Option<IpAddr> {
    let inner = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    inner.unwrap_or(name).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(hosts: &[&str], origins: &[&str], null: bool) -> Gate {
        let own = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let mut config = Config::default();
        config.http.hosts = own(hosts);
        config.http.origins = own(origins);
        config.insecure.allow_null_origin = null;
        Gate::new(&config)
    }

    fn judge(gate: &Gate, host: &str, origin: Option<&str>) -> Result<(), Foreign> {
        gate.judge(Some(host.as_bytes()), origin.map(str::as_bytes))
    }

    #[test]
    fn a_name_that_was_made_to_resolve_here_is_foreign() {
        let plain = gate(&[], &[], false);
        for own in [
            "localhost",
            "localhost:8080",
            "LOCALHOST:1",
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "app.localhost:80",
            "192.168.1.7:8080",
            "[2001:db8::1]:80",
        ] {
            assert_eq!(judge(&plain, own, None), Ok(()), "{own}");
        }
        for foreign in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
        ] {
            assert_eq!(
                judge(&plain, foreign, None),
                Err(Foreign::Host),
                "{foreign}"
            );
        }
        for none in [
            "",
            ":80",
            "a:b",
            "[::1",
            "[::1]x",
            "a b",
            "localhost:99999",
            "user@localhost",
            "localhost/",
        ] {
            assert_eq!(judge(&plain, none, None), Err(Foreign::NoHost), "{none}");
        }
        assert_eq!(plain.judge(None, None), Err(Foreign::NoHost));
        let named = gate(&["Trace.Example"], &[], false);
        assert_eq!(judge(&named, "trace.example:443", None), Ok(()));
    }

    #[test]
    fn a_page_of_another_site_is_foreign_even_to_loopback() {
        let plain = gate(&[], &[], false);
        let host = "localhost:8080";
        for own in [
            "http://localhost:8080",
            "http://localhost:3000",
            "http://127.0.0.1",
            "https://[::1]:8",
        ] {
            assert_eq!(judge(&plain, host, Some(own)), Ok(()), "{own}");
        }
        for foreign in [
            "https://evil.example",
            "http://localhost.evil.example",
            "null",
            "",
            "file://",
            "http://",
            "localhost:8080",
            "http://evil.example@localhost",
            "chrome-extension://localhost",
        ] {
            assert_eq!(
                judge(&plain, host, Some(foreign)),
                Err(Foreign::Origin),
                "{foreign}"
            );
        }
    }

    #[test]
    fn the_own_name_listed_origins_and_null_by_a_flag_are_let_through() {
        let listed = gate(&["trace.example"], &["https://Console.example/"], true);
        for own in ["https://trace.example", "https://console.example", "null"] {
            assert_eq!(judge(&listed, "trace.example", Some(own)), Ok(()), "{own}");
        }
        // Another port is another origin.
        assert_eq!(
            judge(&listed, "trace.example", Some("https://trace.example:444")),
            Err(Foreign::Origin)
        );
    }
}
