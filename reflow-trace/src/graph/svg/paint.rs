//! Colours and fonts.

use std::fmt;

use super::super::label::Role;

/// Fonts that systems bring along, the first that is there.
pub(super) const FONT: &str = "font-family=\"system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif\" \
     font-size=\"12\"";

/// The dark variant; it overrides the attributes that [`Paint`] writes.
pub(super) const STYLE: &str = "@media (prefers-color-scheme: dark) {\
.rt-background{fill:#12161c}\
.rt-box{fill:#1c2735;stroke:#6c9bd9}\
.rt-box-failed{fill:#33191d;stroke:#f0757c}\
.rt-line{stroke:#71849b}.rt-tip{fill:#71849b}\
.rt-line-failed{stroke:#f0757c}.rt-tip-failed{fill:#f0757c}\
.rt-actor,.rt-type{fill:#e9eef5}.rt-count{fill:#8fbcf7}\
.rt-failure{fill:#ff868d}.rt-detail{fill:#9dacbe}.rt-loss{fill:#f0b455}\
}";

/// How something is drawn. Its text is the attributes for a bright background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Background,
    Box,
    FailedBox,
    Line,
    FailedLine,
    Tip,
    FailedTip,
    Actor,
    Type,
    Count,
    Failure,
    Detail,
    Loss,
}

impl Paint {
    pub(super) const fn of(role: Role) -> Self {
        match role {
            Role::Actor => Self::Actor,
            Role::Type => Self::Type,
            Role::Count => Self::Count,
            Role::Failure => Self::Failure,
            Role::Detail => Self::Detail,
        }
    }
}

impl fmt::Display for Paint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Background => r##"class="rt-background" fill="#fcfdff""##,
            Self::Box => r##"class="rt-box" fill="#eaf2fd" stroke="#4a7dbd" stroke-width="1.4""##,
            Self::FailedBox => {
                r##"class="rt-box-failed" fill="#fdeeee" stroke="#c62f39" stroke-width="1.4""##
            }
            Self::Line => r##"class="rt-line" fill="none" stroke="#8496aa""##,
            Self::FailedLine => r##"class="rt-line-failed" fill="none" stroke="#d0525a""##,
            Self::Tip => r##"class="rt-tip" fill="#8496aa""##,
            Self::FailedTip => r##"class="rt-tip-failed" fill="#d0525a""##,
            Self::Actor => r##"class="rt-actor" fill="#152233" font-weight="600" font-size="13""##,
            Self::Type => r##"class="rt-type" fill="#26364a""##,
            Self::Count => r##"class="rt-count" fill="#1d5fb4" font-weight="600""##,
            Self::Failure => {
                r##"class="rt-failure" fill="#b81f2b" font-weight="600" font-size="11""##
            }
            Self::Detail => r##"class="rt-detail" fill="#5a6b7f" font-size="11""##,
            Self::Loss => r##"class="rt-loss" fill="#8f5200" font-weight="600" font-size="11""##,
        })
    }
}
