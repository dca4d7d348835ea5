import { utf8 } from './bytes.ts'
import type { WebhookScheme } from './scheme.ts'

/** A message whose signature somebody else has published. */
export type Vector = {
  readonly scheme: WebhookScheme
  readonly secret: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly nowMs: number
}

const standard = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
}
const slackBody =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'

/** The documentation of GitHub and Slack, and the tests of Standard Webhooks and of Svix, have these. */
export const vectors: Readonly<Record<string, Vector>> = {
  'Standard Webhooks v1': {
    scheme: 'standard-webhooks',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: { ...standard, 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' },
    body: utf8('{"test": 2432232314}'),
    nowMs: 1_614_265_330_000,
  },
  'Standard Webhooks v1a': {
    scheme: 'standard-webhooks',
    secret: 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
    headers: {
      ...standard,
      'webhook-signature':
        'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    },
    body: utf8('{"test": 2432232314}'),
    nowMs: 1_614_265_330_000,
  },
  GitHub: {
    scheme: 'github',
    secret: "It's a Secret to Everybody",
    headers: {
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    },
    body: utf8('Hello, World!'),
    nowMs: 0,
  },
  Slack: {
    scheme: 'slack',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
    body: utf8(slackBody),
    nowMs: 1_531_420_618_000,
  },
}

/** Of the vector of v1a: seed and public key. */
export const vectorPrivateKey =
  'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=='
