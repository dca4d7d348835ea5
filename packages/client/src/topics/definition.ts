/** A JSON Schema of draft 4, 7, 2019-09 or 2020-12; `$schema` decides, 2020-12 where it is left out. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown }

/** One topic as it stands in a definition file. */
export type TopicDefinition = {
  /** what happened, in the past tense: `Created`, `PaidBack` */
  readonly Action: string
  /** what it happened to: `MyEntity` */
  readonly Entity: string
  /** a lower-case word; `DefaultCategory` where left out */
  readonly Category?: string
  readonly Description?: string
  /** of the data */
  readonly Schema: JsonSchema
}

/** A definition file, as an object. */
export type TopicDefinitions = {
  /** of every topic that names no category */
  readonly DefaultCategory?: string
  readonly Topics: readonly TopicDefinition[]
}

/** A topic that has been checked. */
export type Topic = {
  /** `<category>.<Entity><Action>`, as `crm.MyEntityCreated`: the type of its events */
  readonly eventType: string
  readonly category: string
  readonly entity: string
  readonly action: string
  readonly description: string | undefined
  readonly schema: JsonSchema
}
