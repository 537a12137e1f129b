"""Lambda entry point of API Gateway's $default route."""

from fastapi import APIRouter

from penguinmails.http.handler import api_handler

handler = api_handler(APIRouter())
