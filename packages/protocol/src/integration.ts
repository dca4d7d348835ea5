import { z } from 'zod'
import { JsonObject, shortText } from './event.ts'
import { Slug } from './inbox.ts'

export const IntegrationAction = z
  .object({
    name: z.string(),
    display_name: z.string().nullable(),
    description: z.string(),
    input_schema: JsonObject,
    output_schema: JsonObject,
  })
  .meta({ id: 'IntegrationAction' })

/** One way to show an outside service who is asking. */
export const IntegrationAuthMethod = z
  .object({
    id: z.string().describe('its name among the methods; `default` where it is the only one'),
    type: z.enum(['none', 'custom', 'api_key', 'bearer', 'basic', 'oauth2']),
    title: z.string().nullable(),
    help_text: z.string().nullable(),
    fields: JsonObject.nullable().describe('JSON Schema of what a person fills in'),
    flow: z.enum(['authorization_code', 'client_credentials', 'jwt_bearer']).nullable().describe('of oauth2'),
    scopes: z.array(z.string()),
  })
  .meta({ id: 'IntegrationAuthMethod' })

export const Integration = z
  .object({
    name: z.string().describe('the name of its folder'),
    display_name: z.string(),
    version: z.string(),
    description: z.string(),
    auth: z
      .object({
        type: z.string(),
        fields: JsonObject.nullable().describe('JSON Schema of the credentials; null where `methods` have their own'),
        provider: z.string().nullable(),
        scopes: z.array(z.string()),
        methods: z.array(IntegrationAuthMethod).describe('one, or those that may be chosen from'),
      })
      .nullable()
      .describe('null: it needs no connection'),
    supports_connected_account: z.boolean(),
    actions: z.array(IntegrationAction),
    polling_triggers: z.array(IntegrationAction.extend({ polling_interval: z.string() })),
  })
  .meta({ id: 'Integration', description: 'an outside service, as its folder describes it' })
export type Integration = z.infer<typeof Integration>

/** Who may use a connection: every key of the workspace, those of its user alone, or those and some more. */
export const ConnectionGrant = z
  .union([
    z.enum(['workspace', 'user']),
    z.strictObject({
      keys: z
        .array(z.string().regex(/^[0-9a-f]{16}$/, 'must be ids of keys'))
        .min(1)
        .max(100),
    }),
  ])
  .describe(
    '`workspace`: all of its keys; `user`: the keys of who made it; `{keys}`: those, and the keys with these ids',
  )
export type ConnectionGrant = z.infer<typeof ConnectionGrant>

const credentials = z
  .record(z.string(), z.unknown())
  .describe('as the fields of the integration say; kept encrypted and never shown')

export const PutConnection = z
  .strictObject({
    integration: Slug,
    credentials: credentials.optional(),
    grant: ConnectionGrant.optional().describe('default `workspace`'),
    method: shortText(100).optional().describe('which of the methods of the integration, where it has several'),
  })
  .meta({ id: 'PutConnection' })
export type PutConnection = z.infer<typeof PutConnection>

export const PatchConnection = z.strictObject({ grant: ConnectionGrant }).meta({ id: 'PatchConnection' })
export type PatchConnection = z.infer<typeof PatchConnection>

export const CreateConnectLink = z
  .strictObject({
    integration: Slug.optional().describe('of a new connection; one that is there keeps its own'),
    grant: ConnectionGrant.optional().describe(
      'of a new connection, default `workspace`; one that is there keeps its own',
    ),
    return_url: z
      .string()
      .max(2000)
      .optional()
      .describe('where the browser goes at the end: at the public address of the hub, or an origin of --cors-origin'),
    expires_in_seconds: z.int().min(60).max(1800).optional().describe('default 900'),
  })
  .meta({ id: 'CreateConnectLink' })
export type CreateConnectLink = z.infer<typeof CreateConnectLink>

export const ConnectLink = z
  .object({
    url: z.string().describe('for a browser; whoever has it can connect an account, once'),
    expires_at: z.string(),
  })
  .meta({ id: 'ConnectLink' })
export type ConnectLink = z.infer<typeof ConnectLink>

export const PutOAuthClient = z
  .strictObject({
    client_id: z.string().min(1).max(1000),
    client_secret: z.string().min(1).max(4000).optional(),
    private_key: z
      .strictObject({
        key: z.union([z.string().min(1).max(20_000), JsonObject]).describe('PKCS #8 as PEM, or a JWK'),
        kid: shortText().optional(),
        alg: shortText(20).optional().describe('default RS256'),
      })
      .optional()
      .describe('instead of a secret, for `private_key_jwt` and JWT bearer'),
  })
  .meta({ id: 'PutOAuthClient', description: 'kept encrypted; the secret is never shown' })
export type PutOAuthClient = z.infer<typeof PutOAuthClient>

export const OAuthClient = z
  .object({
    integration: Slug,
    client_id: z.string(),
    redirect_uri: z
      .string()
      .nullable()
      .describe('to be registered with the provider; null: start the hub with --public-url'),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'OAuthClient', description: 'who the workspace is at the OAuth2 provider of an integration' })
export type OAuthClient = z.infer<typeof OAuthClient>

export const ConnectedAccount = z
  .object({
    email: z.string().nullable(),
    first_name: z.string().nullable(),
    last_name: z.string().nullable(),
    username: z.string().nullable(),
    user_id: z.string().nullable(),
    avatar_url: z.string().nullable(),
    organization: z.string().nullable(),
  })
  .meta({ id: 'ConnectedAccount' })
export type ConnectedAccount = z.infer<typeof ConnectedAccount>

export const Connection = z
  .object({
    key: Slug,
    integration: Slug,
    user_id: z.string().describe('of the key that made it'),
    grant: ConnectionGrant,
    method: z.string().nullable().describe('by which of its methods it was connected; null: it has a single form'),
    status: z
      .enum(['active', 'needs_reconnect'])
      .describe('`needs_reconnect`: runs are refused until it is connected again'),
    status_reason: z.string().nullable().describe('why it needs to be connected again'),
    expires_at: z.string().nullable().describe('when its access token ends; it is refreshed before'),
    account: ConnectedAccount.nullable().describe('who it belongs to, where the integration can tell'),
    account_error: z.string().nullable().describe('why that is not known'),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Connection', description: 'credentials of somebody at an outside service' })
export type Connection = z.infer<typeof Connection>

export const RunAction = z
  .strictObject({
    inputs: JsonObject.optional(),
    connection: Slug.optional(),
    dry_run: z.boolean().optional().describe('sends no write request: what would have been sent is in the result'),
    bulk: z.boolean().optional().describe('one of many: others with the same connection go first'),
  })
  .meta({ id: 'RunAction' })
export type RunAction = z.infer<typeof RunAction>

export const RunPoll = RunAction.extend({
  last_poll_ts: z.iso.datetime({ offset: true }).optional().describe('when it was asked last'),
  state: z.unknown().optional().describe('what it answered as state then'),
}).meta({ id: 'RunPoll' })
export type RunPoll = z.infer<typeof RunPoll>

export const RunResult = z
  .object({
    version: z.string(),
    type: z.enum(['action', 'action_error', 'polling_trigger', 'validation_error', 'error', 'dry_run']),
    result: JsonObject,
    ms: z.int().describe('how long the run took'),
  })
  .meta({ id: 'RunResult', description: 'what came of a run; `type` says which form `result` has' })
export type RunResult = z.infer<typeof RunResult>

/** A name of an action or a trigger. */
export const ActionName = shortText(100)
