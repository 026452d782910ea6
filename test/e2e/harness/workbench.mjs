/** What the page tests do in the workbench, by the names a user has for it. */
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from '../../../scripts/build.mjs';

/** Where pictures go, for people to look at. */
export function screens() {
  const folder = path.join(root, 'test/.tmp/screens');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A copy of the test workspace that tests may change. */
export function freshWorkspace() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mlx-scope-workspace-'));
  cpSync(path.join(root, 'test/e2e/workspace'), folder, { recursive: true });
  return folder;
}

const HOVER = '.monaco-hover .hover-contents';

export class Workbench {
  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
  }

  async open(url) {
    await this.page.goto(url);
    await this.page.waitForSelector('.monaco-workbench', { timeout: 60_000 });
  }

  /** A picture of the page, with what fades in all there. */
  shot(name) {
    return this.page.screenshot({ path: path.join(screens(), `${name}.png`), animations: 'disabled' });
  }

  /** Opens a file from the explorer and waits until its text is there. */
  async openFile(name) {
    const row = this.page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${name}"]`);
    await row.dblclick({ timeout: 60_000 });
    await this.page.locator(`.tab[aria-label^="${name}"]`).first().waitFor();
    await this.page.waitForSelector('.monaco-editor .view-line');
  }

  /** Runs a command of the palette by its title. */
  async command(title) {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(`>${title}`);
    await this.page.locator(`.quick-input-list .monaco-list-row[aria-label*="${title}"]`).first().waitFor();
    await this.page.keyboard.press('Enter');
  }

  /** Chooses an entry of the quick pick that is open. */
  async pick(label) {
    await this.page.locator(`.quick-input-list .monaco-list-row[aria-label*="${label}"]`).first().click();
  }

  /** The line of the editor in front that holds `text`; rendered spaces are no-break spaces, hints are part of it. */
  line(text) {
    const pattern = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ /g, '[ \\u00a0]');
    return this.page.locator('.monaco-editor .view-line', { hasText: new RegExp(pattern) });
  }

  /** Puts the cursor after `line:column`, from 1. */
  async goTo(line, column) {
    await this.page.keyboard.press('Control+g');
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(`:${line}:${column}`);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Hovers over a token and answers the text of the hover that has `expected`. */
  async hover(token, expected) {
    const { mouse } = this.page;
    // What changes in the editor meanwhile closes a hover, and its user points again.
    for (let tries = 0; tries < 5; tries++) {
      const box = await token.boundingBox();
      if (!box) throw new Error('The token is not in view');
      // A hover starts with a movement over the token, not with a jump onto it.
      await mouse.move(box.x - 30, box.y + 70);
      await mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 6 });
      const found = await this.page
        .waitForFunction(
          ([selector, source]) => {
            const texts = [...document.querySelectorAll(selector)].map(element => element.textContent ?? '');
            return texts.find(text => new RegExp(source).test(text));
          },
          [HOVER, expected.source],
          { timeout: 5_000 },
        )
        .catch(() => null);
      if (found) return found.jsonValue();
    }
    await this.shot('no-hover');
    throw new Error(`No hover says ${expected}`);
  }

  /** Moves the pointer to where it covers and opens nothing. */
  async rest() {
    await this.page.mouse.move(5, 600);
    await this.page
      .locator(HOVER)
      .first()
      .waitFor({ state: 'hidden' })
      .catch(() => {});
  }

  /** The page inside the panel in front. */
  panel() {
    return this.page.frameLocator('iframe.webview').frameLocator('iframe#active-frame');
  }
}
