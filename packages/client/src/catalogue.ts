export { catalogue, describeEventType, domains, type CatalogueEntry, type PayloadOf } from './catalogue/catalogue.ts'
export { exampleOf } from './catalogue/example.ts'
export type { JsonSchema } from './catalogue/schema.ts'
