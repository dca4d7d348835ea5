import type { FromSchema } from '@sluice/protocol'
import type { Context } from './context.ts'
import type { AccountFunction, ActionFunction, PollFunction } from './handlers.ts'
import type { Integration } from './integration.ts'
import { integrationFrom, type LoadOptions } from './load.ts'

type JsonSchema = { readonly [keyword: string]: unknown }

type ActionSource = {
  readonly display_name?: string
  readonly description: string
  readonly input_schema: JsonSchema
  readonly output_schema: JsonSchema
}

type PollingTriggerSource = ActionSource & {
  /** `30s`, `5m`, `1h`, `1d` */
  readonly polling_interval: string
}

type AuthSource = {
  readonly type: string
  readonly provider?: string
  readonly scopes?: readonly string[]
  readonly use_pkce?: boolean
  readonly title?: string
  readonly help_text?: string
  readonly identifier?: string
  /** of the credentials */
  readonly fields?: JsonSchema
  /** of `api_key`: where it goes, header or query, and what stands before it */
  readonly in?: 'header' | 'query'
  readonly name?: string
  readonly prefix?: string
  /** of OAuth2: how its tokens are come by, as `token_url` */
  readonly oauth2?: Readonly<Record<string, unknown>>
}

/** A `config.json` as TypeScript: the same members. */
export type IntegrationSource = {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly display_name?: string
  readonly entry_point?: string
  readonly auth?: AuthSource | { readonly title?: string; readonly methods: Readonly<Record<string, AuthSource>> }
  /** hosts that may receive the credentials, as `api.example.com` or `*.example.com`: https, and its port unless one is named */
  readonly hosts?: readonly string[]
  /** the header in which the service takes idempotency keys, as `Idempotency-Key` */
  readonly idempotency_header?: string
  /** what one account may do: so many requests in any span of so many seconds */
  readonly rate_limit?: { readonly requests: number; readonly per_seconds: number }
  readonly actions?: Readonly<Record<string, ActionSource>>
  readonly polling_triggers?: Readonly<Record<string, PollingTriggerSource>>
  readonly supports_billing?: boolean
  readonly supports_connected_account?: boolean
}

/** As much of a source as types are made of; what `sluice integrations types` writes. */
export type SchemaSource = {
  readonly auth?: {
    readonly fields?: JsonSchema
    readonly methods?: Readonly<Record<string, { readonly fields?: JsonSchema }>>
  }
  readonly actions?: Readonly<Record<string, Schemas>>
  readonly polling_triggers?: Readonly<Record<string, Schemas>>
}

type Schemas = { readonly input_schema: JsonSchema; readonly output_schema: JsonSchema }
type Kind = 'actions' | 'polling_triggers'
type MembersOf<Source, Of extends Kind> = Source extends { readonly [Key in Of]: infer Members } ? Members : object
type SchemaOf<
  Source,
  Of extends Kind,
  Name extends keyof MembersOf<Source, Of>,
  Member extends keyof Schemas,
> = MembersOf<Source, Of>[Name] extends { readonly [Key in Member]: infer Schema } ? Schema : unknown

/** Names of the actions (or polling triggers) of a source. */
export type NamesOf<Source, Of extends Kind = 'actions'> = Extract<keyof MembersOf<Source, Of>, string>

/** What an action (or a polling trigger) is called with. */
export type InputsOf<Source, Name extends NamesOf<Source, Of>, Of extends Kind = 'actions'> = FromSchema<
  SchemaOf<Source, Of, Name, 'input_schema'>
>

/** What an action answers, or the data of a trigger's records. Members that the schema does not name are let through. */
export type OutputOf<Source, Name extends NamesOf<Source, Of>, Of extends Kind = 'actions'> = FromSchema<
  SchemaOf<Source, Of, Name, 'output_schema'>,
  'unknown'
>

/** The credentials by the fields of `auth`, of any of its methods; unknown values where nothing says what they are. */
export type CredentialsOf<Source> = Source extends { readonly auth: infer Auth }
  ? Auth extends { readonly methods: infer Methods }
    ? { [Id in keyof Methods]: CredentialsOfMethod<Methods[Id]> & Readonly<Record<string, unknown>> }[keyof Methods]
    : CredentialsOfMethod<Auth>
  : Readonly<Record<string, unknown>>

type CredentialsOfMethod<Method> = (Method extends { readonly fields: infer Fields }
  ? FromSchema<Fields>
  : Readonly<Record<string, unknown>>) &
  (Method extends { readonly type: infer Type extends keyof OwnCredentials } ? OwnCredentials[Type] : unknown)

/** What a type brings by itself. */
type OwnCredentials = {
  api_key: { readonly api_key: string }
  bearer: { readonly token: string }
  basic: { readonly username: string; readonly password?: string }
  oauth2: { readonly access_token: string }
}

/** What the handlers of a source are given. */
export type ContextOf<Source> = Omit<Context, 'auth'> & {
  readonly auth: { readonly auth_type: string; readonly credentials: CredentialsOf<Source> }
}

/** `Integration` whose handlers are checked against the schemas by the compiler. */
export type DefinedIntegration<Source> = Omit<Integration, 'action' | 'pollingTrigger' | 'connectedAccount'> & {
  /** Registers the handler of an action; a later one replaces it. */
  action<Name extends NamesOf<Source>>(
    name: Name,
    handler: ActionFunction<InputsOf<Source, Name>, OutputOf<Source, Name>, ContextOf<Source>>,
  ): void
  pollingTrigger<Name extends NamesOf<Source, 'polling_triggers'>>(
    name: Name,
    handler: PollFunction<
      InputsOf<Source, Name, 'polling_triggers'>,
      OutputOf<Source, Name, 'polling_triggers'>,
      ContextOf<Source>
    >,
  ): void
  connectedAccount(handler: AccountFunction<ContextOf<Source>>): void
}

/**
 * An integration from a configuration in TypeScript. Inputs, outputs and credentials have the types of their schemas, and the
 * compiler checks the handlers.
 *
 * @throws ConfigurationError with every fault
 * @example
 * const integration = defineIntegration({ name: 'Users', …, actions: { get_user: { input_schema: …, output_schema: … } } })
 * integration.action('get_user', async ({ id }, context) => ({ data: await read(id, context) }))
 */
export function defineIntegration<const Source extends IntegrationSource>(
  source: Source,
  options: LoadOptions = {},
): DefinedIntegration<Source> {
  // What the types say of the handlers is what the schemas check when they run.
  return integrationFrom(source, options) as unknown as DefinedIntegration<Source>
}
