import { changedFields, item, money, visit, visitDetails } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, difference, flag, id, list, object, text, time, url } from './schema.ts'

const product = { product_id: id('prd_77') }
const stock = { ...product, location_id: id('loc_2') }
const available = count(3)

export const products = defineDomain('product', 'What is sold, and how much of it there is.', {
  'product.created': {
    description: 'A product was added to the range; it may not be on sale yet.',
    required: { ...product, name: text('Blue mug'), created_at: time() },
    optional: { sku: text('MUG-BLUE'), price: money(2450), category_ids: list(id('cat_mugs')), vendor: text('Okafor') },
  },
  'product.updated': {
    description: 'What is said about a product was changed.',
    required: { ...product, changed_fields: changedFields, updated_at: time() },
    optional: { name: text('Blue mug'), updated_by: id('usr_12') },
  },
  'product.published': {
    description: 'A product can be seen and bought from now on.',
    required: { ...product, sales_channels: list(text('web')), published_at: time() },
    optional: { url: url('https://shop.example/mugs/blue') },
  },
  'product.unpublished': {
    description: 'A product cannot be seen or bought any more; it may come back.',
    required: { ...product, unpublished_at: time() },
    optional: { reason: choice('season', 'stock', 'recall', 'rework', 'other') },
  },
  'product.deleted': {
    description: 'A product was removed from the range for good.',
    required: { ...product, deleted_at: time() },
    optional: { replaced_by: id('prd_91') },
  },
  'product_variant.added': {
    description: 'A product is there in one more size, colour or other kind.',
    required: {
      ...product,
      variant_id: id('var_77_blue'),
      options: list(object({ name: text('colour'), value: text('blue') })),
    },
    optional: { sku: text('MUG-BLUE'), price: money(2450) },
  },
  'product_price.changed': {
    description: 'A product or one of its variants costs more or less than before.',
    required: { ...product, previous_price: money(2650), price: money(2450), effective_at: time() },
    optional: { variant_id: id('var_77_blue'), reason: choice('sale', 'cost', 'correction', 'other') },
  },
  'product.viewed': {
    description: 'A visitor looked at the page of a product.',
    required: { ...product, ...visit, viewed_at: time() },
    optional: { ...visitDetails, customer_id: id('cus_204'), variant_id: id('var_77_blue'), price: money(2450) },
  },
  'product.shared': {
    description: 'A visitor passed a product on to somebody else.',
    required: { ...product, shared_through: choice('link', 'email', 'social', 'message') },
    optional: { customer_id: id('cus_204'), network: text('mastodon') },
  },
  'product_category.viewed': {
    description: 'A visitor looked at a list of products of one kind.',
    required: { category_id: id('cat_mugs'), ...visit },
    optional: { ...visitDetails, customer_id: id('cus_204'), product_count: count(24), page: count(1, 1) },
  },
  'inventory.received': {
    description: 'Goods arrived at a place and can be sold from there.',
    required: { ...stock, quantity: count(48, 1), received_at: time() },
    optional: { available: count(51), purchase_order_id: id('po_6'), supplier_id: id('sup_1') },
  },
  'inventory.adjusted': {
    description: 'The count of a product at a place was corrected by hand.',
    required: { ...stock, difference: difference(-2), reason: choice('count', 'damage', 'theft', 'found', 'other') },
    optional: { available, adjusted_by: id('usr_12'), adjusted_at: time() },
  },
  'inventory.reserved': {
    description: 'Goods were set aside for an order or a cart.',
    required: { reservation_id: id('rsv_70'), items: list(item) },
    optional: { order_id: id('ord_1042'), cart_id: id('crt_300'), expires_at: time('2026-03-14T09:56:53Z') },
  },
  'inventory.released': {
    description: 'Goods that were set aside can be sold again.',
    required: { reservation_id: id('rsv_70'), cause: choice('expired', 'cancelled', 'shipped-elsewhere') },
    optional: { items: list(item), released_at: time('2026-03-14T09:56:53Z') },
  },
  'inventory.transferred': {
    description: 'Goods were moved from one place to another.',
    required: { from_location_id: id('loc_1'), to_location_id: id('loc_2'), items: list(item) },
    optional: { transfer_id: id('trf_4'), arrived_at: time() },
  },
  'inventory.ran_low': {
    description: 'There is less of a product than the shop wants to have.',
    required: { ...stock, available, threshold: count(5) },
    optional: { variant_id: id('var_77_blue'), days_left: count(2) },
  },
  'inventory.depleted': {
    description: 'The last of a product was sold or set aside.',
    required: { ...stock, depleted_at: time() },
    optional: { variant_id: id('var_77_blue'), can_be_ordered: flag(false), expected_at: time('2026-03-28T00:00:00Z') },
  },
})
