"""What the API says and hears about accounts."""

from rest_framework import serializers


class CredentialsSerializer(serializers.Serializer):
    """E-mail and password, and a code if the account asks for one."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, style={"input_type": "password"})
    code = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        help_text="Of the authenticator app, or a recovery code; needed if sign-in codes are switched on.",
    )


class IssuedTokenSerializer(serializers.Serializer):
    """A new token; nobody can read it again."""

    token = serializers.CharField(source="secret", read_only=True)
    expires_at = serializers.DateTimeField(source="record.expires_at", read_only=True)


class MeSerializer(serializers.Serializer):
    """Who is asking."""

    id = serializers.IntegerField(read_only=True)
    email = serializers.EmailField(read_only=True)
    name = serializers.CharField(read_only=True)
    role = serializers.CharField(read_only=True)
    language = serializers.CharField(read_only=True)
    permissions = serializers.ListField(child=serializers.CharField(), read_only=True)
