"""The public settings, with their defaults; a test changes them in `server.settings`."""

from __future__ import annotations

from typing import Any

_MANY = {f"Accounts_Default_User_Preferences_{number:03}": True for number in range(120)}
"""A real server has hundreds, and gives fifty at a time."""

SETTINGS: dict[str, Any] = {
    **_MANY,
    "API_Embed": True,
    "API_Enable_Rate_Limiter": True,
    "API_Enable_Rate_Limiter_Limit_Calls_Default": 10,
    "API_Enable_Rate_Limiter_Limit_Time_Default": 60_000,
    "API_User_Limit": 500,
    "Accounts_AllowAnonymousRead": False,
    "Accounts_AllowUserStatusMessageChange": True,
    "Accounts_LoginExpiration": 90,
    "Accounts_TwoFactorAuthentication_Enabled": True,
    "Accounts_TwoFactorAuthentication_Enforce_Password_Fallback": True,
    "E2E_Allow_Unencrypted_Messages": False,
    "E2E_Enable": True,
    "FileUpload_MaxFileSize": 104_857_600,
    "Language": "en",
    "Message_AllowDeleting": True,
    "Message_AllowDeleting_BlockDeleteInMinutes": 0,
    "Message_AllowDirectMessagesToYourself": True,
    "Message_AllowEditing": True,
    "Message_AllowEditing_BlockEditInMinutes": 0,
    "Message_AllowPinning": True,
    "Message_AllowUnrecognizedSlashCommand": False,
    "Message_CustomFields_Enabled": False,
    "Message_KeepHistory": False,
    "Message_MaxAllowedSize": 5000,
    "Message_ShowDeletedStatus": False,
    "Site_Name": "Rocket.Chat",
    "Site_Url": "",
    "Threads_enabled": True,
    "UI_Use_Real_Name": False,
}

NOT_PUBLIC = {
    "API_Enable_Rate_Limiter",
    "API_Enable_Rate_Limiter_Limit_Calls_Default",
    "API_Enable_Rate_Limiter_Limit_Time_Default",
}
"""Settings that are in force, but that settings.public does not tell."""
