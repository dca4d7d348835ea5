// Written by: sluice types generate topics.yaml. Change the file and generate again.
import { defineTopics, type DataOf } from '@sluice/client/topics'

export const definitions = {
  DefaultCategory: 'crm',
  Topics: [
    {
      Action: 'Created',
      Entity: 'MyEntity',
      Description: 'An entity was made.',
      Schema: {
        type: 'object',
        required: ['event'],
        properties: {
          event: {
            type: 'string',
          },
          data: {
            type: 'string',
          },
        },
      },
    },
    {
      Action: 'Paid',
      Entity: 'Invoice',
      Category: 'billing',
      Description: 'An invoice was paid in full.',
      Schema: {
        type: 'object',
        required: ['invoice_id', 'cents'],
        properties: {
          invoice_id: {
            type: 'string',
          },
          cents: {
            type: 'integer',
            minimum: 1,
          },
        },
      },
    },
  ],
} as const

export const topics = defineTopics(definitions)

/** An entity was made. */
export type MyEntityCreated = DataOf<typeof topics, 'MyEntity', 'Created', 'crm'>

/** An invoice was paid in full. */
export type BillingInvoicePaid = DataOf<typeof topics, 'Invoice', 'Paid', 'billing'>
