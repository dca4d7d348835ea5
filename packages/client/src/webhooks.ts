export {
  createExample,
  signMessage,
  webhookSchemes,
  type ExampleSource,
  type HmacSigning,
  type WebhookScheme,
} from '@sluice/protocol/webhooks'
