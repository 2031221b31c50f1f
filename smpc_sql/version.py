"""The version that parties must share: plans of different versions are never run together."""

VERSION = "0.1.0"
