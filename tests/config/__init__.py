"""The config of a client and the policies of its commands: what is refused, and what each key does.

``test_policies.py`` checks docs/policies.md against the package. Every key listed there names the test that
shows its effect, most of them in ``test_policy_effects.py`` and ``test_config_effects.py``.
"""
