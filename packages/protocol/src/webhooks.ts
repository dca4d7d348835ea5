/**
 * Signatures of webhooks: how providers make them, verifying and making them, and why one is not right. WebCrypto alone, so that
 * hub, browsers and edge runtimes share one truth; nothing here loads anything else.
 */
export { encode as encodeBytes, type Bytes } from './webhooks/bytes.ts'
export { createExample, type ExampleSource } from './webhooks/example.ts'
export { explainMessage, type Explanation, type WebhookCause } from './webhooks/explain.ts'
export type { WebhookHead, WebhookMessage } from './webhooks/message.ts'
export {
  defaultToleranceSeconds,
  findHmacFaults,
  hmacAlgorithms,
  secretEncodings,
  signatureEncodings,
  signingOf,
  webhookSchemes,
  type HmacSigning,
  type Signing,
  type WebhookScheme,
} from './webhooks/scheme.ts'
export { toVerifyingKey } from './webhooks/secret.ts'
export { signMessage, type ToSign } from './webhooks/sign.ts'
export {
  beginVerification,
  isRefusal,
  type Pending,
  type Verified,
  type WebhookFault,
  type WebhookRefusal,
  type WebhookRules,
} from './webhooks/verify.ts'
