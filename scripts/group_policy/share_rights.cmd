@echo off
rem Gives a folder the rights for reports: machines may add files and nothing else, and readers may read them.
rem
rem   share_rights.cmd D:\reports "EXAMPLE\Domain Computers" "EXAMPLE\Software audit"
rem
rem Run it as an administrator on the file server. docs/windows.md says what each right is for, and how to share the folder.
rem References: https://learn.microsoft.com/windows-server/administration/windows-commands/icacls
setlocal
if "%~3"=="" (
    echo usage: share_rights.cmd FOLDER MACHINES READERS 1>&2
    exit /b 2
)
if not exist "%~1\" mkdir "%~1" || exit /b 1
rem Administrators, SYSTEM and the owner by their numbers: their names depend on the language of Windows.
icacls "%~1" /grant:r "*S-1-5-32-544:(OI)(CI)(F)" "*S-1-5-18:(OI)(CI)(F)" "*S-1-3-4:(OI)(IO)(RC)" || exit /b 1
icacls "%~1" /grant:r "%~2:(S,X,RA,WD)" "%~3:(OI)(CI)(RX)" || exit /b 1
rem Last, so that a failure above locks nobody out: what the folder inherited, such as "Users may create folders".
icacls "%~1" /inheritance:r || exit /b 1
