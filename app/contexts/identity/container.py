"""How identity is wired."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dependency_injector import containers, providers

from app.contexts.identity import when_used
from app.contexts.identity.adapters.http.signed_in import SignedIn
from app.contexts.identity.adapters.metrics.log_ins import LogInMetrics
from app.contexts.identity.adapters.postgres.clients import PostgresClients
from app.contexts.identity.adapters.postgres.families import PostgresFamilies
from app.contexts.identity.adapters.postgres.leftovers import PostgresLeftovers
from app.contexts.identity.adapters.postgres.nonces import PostgresNonces
from app.contexts.identity.adapters.postgres.operated import PostgresOperated
from app.contexts.identity.adapters.postgres.standings import CONNECTIONS, PostgresStandings
from app.contexts.identity.adapters.postgres.tenants import PostgresTenants
from app.contexts.identity.adapters.postgres.users import PostgresUsers
from app.contexts.identity.application.authenticate import Authenticate
from app.contexts.identity.application.change_me import ChangeMe
from app.contexts.identity.application.change_user import ChangeUser
from app.contexts.identity.application.directory import FindPeople
from app.contexts.identity.application.issue_client_token import IssueClientToken
from app.contexts.identity.application.issue_nonce import IssueNonce
from app.contexts.identity.application.known_tenants import KnownTenants
from app.contexts.identity.application.log_in import LogIn
from app.contexts.identity.application.log_out import LogOut
from app.contexts.identity.application.look_up import LookUp
from app.contexts.identity.application.manage_clients import ManageClients
from app.contexts.identity.application.open_session import OpenSession
from app.contexts.identity.application.operate import Operate
from app.contexts.identity.application.operate_on_people import OperateOnPeople
from app.contexts.identity.application.prove_wallet import ProveWallet
from app.contexts.identity.application.read_users import ReadUsers
from app.contexts.identity.application.refresh import Refresh
from app.contexts.identity.application.register import Register
from app.contexts.identity.application.sign_in_with_wallet import SignInWithWallet
from app.contexts.identity.application.wallet_domains import WalletDomains
from app.contexts.identity.application.who_stands import WhoStands
from app.contexts.identity.domain.lives import Lives
from app.contexts.identity.settings import IdentitySettings
from app.platform.eip55 import checksummed
from app.platform.postgres.database import Database
from app.platform.postgres.tenancy import TenantRows
from app.platform.process.settings import Settings
from app.platform.process.uuid7 import uuid7
from app.platform.process.wiring import Platform


def _seconds(milliseconds: int) -> float:
    return milliseconds / 1_000


def _where_wallets_sign_in(domains: Sequence[str], make: Callable[[], ProveWallet]) -> ProveWallet | None:
    return make() if domains else None


def _lives(settings: IdentitySettings) -> Lives:
    return Lives(
        access_s=settings.access_ttl_s,
        refresh_s=settings.refresh_ttl_h * 3_600,
        session_s=settings.session_ttl_h * 3_600,
        grace_s=settings.refresh_grace_s,
    )


class IdentityContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=IdentitySettings)
    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)

    pool = providers.Singleton(lambda database: database.planned_pool("people", 4), database)
    rows = providers.Singleton(TenantRows, pool)

    tenants = providers.Singleton(PostgresTenants, pool)
    known_tenants = providers.Singleton(KnownTenants, tenants)

    # tokens
    ring = providers.Singleton(when_used.key_ring, providers.Factory(Path, settings.provided.jwt_keys))
    lives = providers.Singleton(_lives, settings)
    tokens = providers.Singleton(
        when_used.access_tokens,
        ring,
        settings.provided.jwt_issuer,
        settings.provided.jwt_audience,
        settings.provided.access_ttl_s,
    )
    standing_pool = providers.Singleton(lambda database: database.planned_pool("who", CONNECTIONS), database)
    standings = providers.Singleton(PostgresStandings, providers.Factory(TenantRows, standing_pool), standing_pool)
    who_stands = providers.Singleton(WhoStands, standings)
    families = providers.Singleton(PostgresFamilies, rows, pool)
    clients = providers.Singleton(PostgresClients, rows, pool)
    open_session = providers.Singleton(OpenSession, families, tokens, providers.Object(uuid7), lives)
    refresh = providers.Singleton(
        Refresh,
        families,
        known_tenants,
        providers.Factory(when_used.token_seal),
        tokens,
        lives,
        who_stands.provided.forget,
    )
    log_out = providers.Singleton(LogOut, families, known_tenants, who_stands.provided.forget)
    leftovers = providers.Singleton(
        PostgresLeftovers,
        providers.Factory(TenantRows, database.provided.upkeep_pool),
        database.provided.upkeep_pool,
    )
    issue_client_token = providers.Singleton(IssueClientToken, clients, known_tenants, tokens)
    known_tokens = providers.Singleton(when_used.known_tokens, tokens)
    signed_in = providers.Singleton(SignedIn, settings.provided.cookie_secure)

    # people
    users = providers.Singleton(PostgresUsers, rows, pool, providers.Object(uuid7), who_stands.provided.forget)

    # siwe
    nonces = providers.Singleton(PostgresNonces, pool)
    wallet_domains = providers.Singleton(WalletDomains, settings.provided.wallet_domains, known_tenants)
    issue_nonce = providers.Singleton(
        IssueNonce, nonces, wallet_domains, settings.provided.wallet_chains, settings.provided.siwe_nonce_ttl_s
    )
    prove_wallet = providers.Singleton(
        ProveWallet,
        nonces,
        wallet_domains,
        providers.Singleton(when_used.wallet_keys),
        providers.Singleton(when_used.contracts, settings.provided.wallet_nodes),
        settings.provided.wallet_chains,
        settings.provided.siwe_nonce_ttl_s,
    )
    sign_in_with_wallet = providers.Singleton(SignInWithWallet, prove_wallet, users, open_session, uuid7)
    prove_address = providers.Callable(_where_wallets_sign_in, settings.provided.wallet_domains, prove_wallet.provider)

    # people
    passwords = providers.Singleton(when_used.password_threads, settings.provided.password_pool)
    floor_s = providers.Callable(_seconds, settings.provided.login_floor_ms)
    register = providers.Singleton(Register, users, passwords, floor_s)
    log_in = providers.Singleton(LogIn, users, passwords, open_session, floor_s)
    read_users = providers.Singleton(ReadUsers, users)
    change_me = providers.Singleton(ChangeMe, users, passwords, prove_address)
    change_user = providers.Singleton(ChangeUser, users)
    operate = providers.Singleton(Operate, users, tenants, passwords, providers.Object(uuid7))
    directory = providers.Singleton(FindPeople, users, known_tenants, providers.Object(checksummed))

    log_in_metrics = providers.Singleton(LogInMetrics, platform.registry)

    # the console
    operated = providers.Singleton(PostgresOperated, rows, pool)
    look_up = providers.Singleton(LookUp, users, tenants, providers.Object(checksummed))
    operate_on_people = providers.Singleton(OperateOnPeople, users, operated)

    # tokens, of what is people's
    manage_clients = providers.Singleton(ManageClients, clients, tenants, providers.Object(uuid7))
    verifier = providers.Singleton(when_used.VerifierWhenUsed, known_tokens.provider)
    authenticator = providers.Singleton(Authenticate, verifier, who_stands, known_tenants)


def make(platform: Platform, database: Database, _: Mapping[str, Any]) -> IdentityContainer:
    """The container."""
    settings: Settings = platform.settings()
    return IdentityContainer(settings=settings.of(IdentitySettings), platform=platform, database=database)
