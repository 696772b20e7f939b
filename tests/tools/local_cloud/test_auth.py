"""People: signing up and in, staying in, and what they may read, with the real client."""

import uuid

import pytest

from supabase import AuthApiError, PostgrestAPIError
from tests.tools.local_cloud.people import connected
from tools.local_cloud.process_io import CloudProcess

PASSWORD = "correct horse"


def address() -> dict[str, str]:
    return {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD}


async def test_who_signs_up_is_in_at_once_and_can_sign_in_again(live_cloud: CloudProcess) -> None:
    me = address()
    async with connected(live_cloud) as client:
        signed_up = await client.auth.sign_up(me)
        assert signed_up.session is not None
        await client.auth.sign_out()
        signed_in = await client.auth.sign_in_with_password(me)
        assert signed_in.user is not None
        assert signed_up.user is not None
        assert (signed_in.user.id, signed_in.user.email) == (signed_up.user.id, me["email"])


async def test_a_wrong_password_and_a_taken_address_are_refused(live_cloud: CloudProcess) -> None:
    me = address()
    async with connected(live_cloud) as client:
        await client.auth.sign_up(me)
        with pytest.raises(AuthApiError, match="Invalid login credentials"):
            await client.auth.sign_in_with_password({**me, "password": "wrong horse"})
        with pytest.raises(AuthApiError, match="already registered"):
            await client.auth.sign_up(me)


async def test_a_session_is_renewed_with_its_refresh_token(live_cloud: CloudProcess) -> None:
    async with connected(live_cloud) as client:
        first = (await client.auth.sign_up(address())).session
        assert first is not None
        renewed = (await client.auth.refresh_session(first.refresh_token)).session
        assert renewed is not None
        assert renewed.refresh_token != first.refresh_token
        user = await client.auth.get_user(renewed.access_token)
        assert user is not None
        assert user.user.id == first.user.id
        with pytest.raises(AuthApiError):
            await client.auth.refresh_session("not-a-token")


async def test_people_read_and_write_their_own_rows_and_no_others(live_cloud: CloudProcess) -> None:
    async with connected(live_cloud) as mine, connected(live_cloud) as other, connected(live_cloud) as nobody:
        me = (await mine.auth.sign_up(address())).user
        them = (await other.auth.sign_up(address())).user
        assert me is not None
        assert them is not None
        await mine.table("notes").insert({"body": "mine"}).execute()
        await other.table("notes").insert([{"body": "theirs"}, {"body": "too"}]).execute()
        found = await mine.table("notes").select("owner_id,body").execute()
        assert found.data == [{"owner_id": me.id, "body": "mine"}]
        with pytest.raises(PostgrestAPIError, match="row-level security"):
            await mine.table("notes").insert({"body": "forged", "owner_id": them.id}).execute()
        with pytest.raises(PostgrestAPIError, match="permission denied"):
            await nobody.table("notes").select("body").execute()


async def test_auth_asks_for_the_api_key(live_cloud: CloudProcess) -> None:
    async with connected(live_cloud) as client:
        answer = await client.options.httpx_client.post(f"{live_cloud.url}/auth/v1/signup", json=address())
    assert answer.status_code == 401
