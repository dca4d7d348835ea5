export {
  createExample,
  signMessage,
  webhookSchemes,
  type ExampleSource,
  type HmacSigning,
  type WebhookScheme,
} from '@sluice/protocol/webhooks'
export { createKeySet, type KeySetOptions } from './webhooks/key-set.ts'
export { expressWebhook } from './webhooks/express.ts'
export { fastifyWebhook } from './webhooks/fastify.ts'
export { honoWebhook } from './webhooks/hono.ts'
export { lambdaWebhook, type LambdaAnswer, type LambdaEvent } from './webhooks/lambda.ts'
export type { ReceiverOptions } from './webhooks/receiver.ts'
export {
  verifyWebhook,
  type RefusedWebhook,
  type VerifiedWebhook,
  type WebhookInput,
  type WebhookOptions,
  type WebhookSecrets,
} from './webhooks/verify.ts'
