/**
 * A signal that aborts on the first SIGINT or SIGTERM; a second one ends the process at once.
 *
 * @param onFirst told which signal came
 */
export function stopOnSignal(onFirst?: (name: NodeJS.Signals) => void): AbortController {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(1)
    controller.abort(new DOMException(`stopped by ${name}`, 'AbortError'))
    onFirst?.(name)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return controller
}
