import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import type { InteractionResults } from 'oidc-provider'
import type { OAuthSettings } from './settings.ts'

/** Where the provider sends a browser to ask who it is, and whether that person agrees. */
export const consentPath = '/consent/'

type Exchange = { readonly incoming: IncomingMessage; readonly response: ServerResponse }

/** Logs the browser in and agrees, or does not, without asking anybody. */
export async function answerForUser(
  provider: Provider,
  { incoming, response }: Exchange,
  { consents }: OAuthSettings,
): Promise<void> {
  const { prompt, params, session, grantId } = await provider.interactionDetails(incoming, response)
  const finish = (result: InteractionResults): Promise<void> =>
    provider.interactionFinished(incoming, response, result, { mergeWithLastSubmission: true })
  if (!consents) return finish({ error: 'access_denied', error_description: 'The person did not agree' })
  if (prompt.name === 'login') return finish({ login: { accountId } })
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant =
    known ?? new provider.Grant({ accountId: session?.accountId ?? accountId, clientId: String(params['client_id']) })
  if (typeof params['scope'] === 'string') grant.addOIDCScope(params['scope'])
  return finish({ consent: { grantId: await grant.save() } })
}

/** The one person that there is. */
export const accountId = 'ada'
