import { render } from 'preact'
import { followLinks } from './address.ts'
import { App } from './app.tsx'
import { startTheme } from './ui/theme.ts'

startTheme()
followLinks()
render(<App />, document.getElementById('console')!)
