"""Translates template.yaml as CloudFormation's SAM transform would and lints the outcome.

Linting the template as written misses what only the translated resources show (a queue's visibility below its
consumer's timeout, an unknown architecture, a misspelt attribute in Globals). Runs in the SAM CLI's environment, without
network and without credentials: `.tools/sam/bin/python scripts/lint_translated_template.py template.yaml`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from samcli.yamlhelper import yaml_parse
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "eu-west-1"
ABOUT_FORM_ONLY = [
    "W1020",  # the translator writes Fn::Sub around texts that need none
    "W3037",  # the translator's policy templates use actions that the linter's list does not know
]


def translate(template: dict[str, Any]) -> dict[str, Any]:
    """The plain CloudFormation form. Local code folders stand where a deploy puts S3 addresses."""
    uploaded = "s3://bucket/code.zip"
    template["Globals"]["Function"]["CodeUri"] = uploaded
    for resource in template["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = uploaded
    session = boto3.Session(region_name=REGION)
    return Translator({}, Parser(), boto_session=session).translate(template, {})


def main(path: Path) -> int:
    """Print each finding as `logical path: message`; 1 when there is any."""
    try:
        translated = translate(yaml_parse(path.read_text()))
    except InvalidDocumentException as error:
        for cause in error.causes:
            print(cause.message)
        return 1
    config = ManualArgs(regions=[REGION], ignore_checks=ABOUT_FORM_ONLY)
    findings = lint(json.dumps(translated), config=config)
    for finding in findings:
        where = "/".join(str(part) for part in finding.path or [])
        print(f"{finding.rule.id} {where}: {finding.message}")
    print(f"{path} translates to {len(translated['Resources'])} resources (CloudFormation allows 500)")
    return 1 if findings or len(translated["Resources"]) > 500 else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
