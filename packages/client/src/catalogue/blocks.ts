import { choice, code, count, described, email, flag, id, list, object, text, url, type Schema } from './schema.ts'

const currency = code('^[A-Z]{3}$', 'EUR')
export const country = code('^[A-Z]{2}$', 'CA')
export const language = code('^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$', 'fr-CA')
/** E.164: a plus sign, the country's code, at most 15 digits. */
export const phone = (example: string): Schema<string> => code('^\\+[1-9][0-9]{6,14}$', example)
/** IPv4 or IPv6; loosely, as no one format covers both. */
export const ipAddress = code('^[0-9A-Fa-f.:]{3,45}$', '203.0.113.7')

/** An amount and its currency. The one form of money in the catalogue. */
export function money(amount: number): Schema<{ amount: number; currency: string }> {
  return described(
    'amount in minor units: 1999 and EUR are 19.99 euros, 1999 and JPY are 1999 yen',
    object({ amount: count(amount), currency }),
  )
}

export const address = object(
  { line1: text('12 Rue Sainte-Catherine'), city: text('Montréal'), country },
  { line2: text('Apt 4'), region: text('QC'), postal_code: text('H2X 1K4') },
)

export const person = object(
  {},
  { given_name: text('Ada'), family_name: text('Okafor'), language, time_zone: text('America/Toronto') },
)

export const lineItem = object(
  { product_id: id('prd_77'), quantity: count(2, 1), unit_price: money(2450) },
  { variant_id: id('var_77_blue'), sku: text('MUG-BLUE'), name: text('Blue mug'), discount: money(200) },
)

/** Goods without prices: what is packed, sent back or reserved. */
export const item = object(
  { product_id: id('prd_77'), quantity: count(2, 1) },
  { variant_id: id('var_77_blue'), sku: text('MUG-BLUE') },
)

export const utm = object(
  { source: text('newsletter') },
  { medium: text('email'), campaign: text('spring-2026'), term: text('mugs'), content: text('header-link') },
)

/** What an update touched. */
export const changedFields: Schema<string[]> = {
  ...list(id('name')),
  uniqueItems: true,
  description: 'names of the members that have another value now',
}

export const device = choice('desktop', 'mobile', 'tablet', 'tv', 'other')
export const initiator = choice('customer', 'staff', 'system')

/** Where in the web something happened. */
export const visit = {
  visitor_id: described('a cookie or device, known or not', id('vis_5c1e')),
  url: url('https://shop.example/mugs?color=blue'),
}
export const visitDetails = { session_id: id('ses_88'), referrer_url: url('https://search.example/'), device, utm }

export const sender = email('hello@shop.example')
export const failure = object(
  { code: id('declined') },
  { message: text('The bank refused it.'), retryable: flag(false) },
)
