export { createEsauti, type Api, type ApiCall, type Esauti } from './esauti.ts'
export { toContactFields } from './contact-fields.ts'
export type { BatchOutcome, BatchResult } from './batch.ts'
export type { OAuthOptions, Tokens } from './oauth.ts'
export type { Customer, Envelope, EventOptions } from './envelope.ts'
export type { Events, Linked, Receipt, SendOptions } from './events.ts'
export type { EsautiOptions } from './options.ts'
export type { Condition, ListQuery, Order } from './query.ts'
export type {
  Activity,
  ActivityQuery,
  Campaign,
  Company,
  Contact,
  ContactData,
  DoNotContact,
  Email,
  Fields,
  Form,
  Hook,
  Id,
  Item,
  List,
  Note,
  Report,
  Segment,
  Submission,
  Success,
  Theme,
  Upload,
  User,
  Utm,
} from './shapes.ts'
export type { Operations } from './spec.ts'
