/** The HTML of a panel: an empty body that its script fills. */
import { Uri, type Webview } from 'vscode';
import type { TaskName } from './messages';

/** Scripts run with the nonce only; nothing is loaded from outside the extension. */
export function pageHtml(webview: Webview, panels: Uri, task: TaskName, title: string): string {
  const file = (name: string) => webview.asWebviewUri(Uri.joinPath(panels, name));
  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join(
    '',
  );
  const policy = [
    "default-src 'none'",
    `style-src ${webview.cspSource}`,
    `script-src 'nonce-${nonce}' 'wasm-unsafe-eval'`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${file('panels.css')}">
</head>
<body data-task="${task}">
<script nonce="${nonce}" src="${file(`${task}.js`)}"></script>
</body>
</html>`;
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
