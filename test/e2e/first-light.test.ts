/**
 * The packaged extension as a user meets it: installed from its .vsix into code-server, driven through the page.
 * Pictures of each step are left in test/.tmp/screens.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch } from './harness/browser.mjs';
import { installVsix, startCodeServer } from './harness/code-server.mjs';
import { freshWorkspace, Workbench } from './harness/workbench.mjs';

let server: Awaited<ReturnType<typeof startCodeServer>>;
let browser: Awaited<ReturnType<typeof launch>>;
let workbench: Workbench;

beforeAll(async () => {
  server = await startCodeServer({ extensions: installVsix(process.env.MLX_SCOPE_VSIX!) });
  browser = await launch();
  workbench = new Workbench(browser.page);
  await workbench.open(`${server.url}/?folder=${encodeURIComponent(freshWorkspace())}`);
  await workbench.openFile('classifier.py');
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const squiggles = () => browser.page.locator('.monaco-editor .squiggly-error');

test('shapes show behind names', async () => {
  // A hint is part of its line's text.
  await expect.poll(() => workbench.line('= nn.relu').first().textContent(), { timeout: 60_000 }).toMatch(/32,\s256/);
  await workbench.shot('1-shapes');
  expect(await squiggles().count()).toBe(0);
});

test('typing a layer that does not fit underlines it', async () => {
  const { keyboard } = browser.page;
  // Behind `self.fc2 = `: the rest of the line is typed anew.
  await workbench.goTo(11, 20);
  await keyboard.press('Shift+End');
  await keyboard.type('nn.Linear(128, 10', { delay: 20 });
  await keyboard.press('Escape');
  await keyboard.press('End');
  await squiggles().first().waitFor({ timeout: 20_000 });
  expect(await workbench.line('self.fc2').first().textContent()).toContain('128');
  await workbench.shot('2-underlined');
});

test('the hover explains it', async () => {
  const text = await workbench.hover(squiggles().first(), /128[\s\S]*256/);
  expect(text).toMatch(/MLX\d{3}/);
  await workbench.shot('3-hover');
  await workbench.rest();
});

test('the quick fix repairs it', async () => {
  const { page } = browser;
  // In the call that is underlined.
  await workbench.goTo(15, 20);
  await page.keyboard.press('Control+.');
  await page.locator('.action-widget').waitFor({ timeout: 20_000 });
  await workbench.shot('4-fixes');
  // The repair comes first.
  const first = page.locator('.action-widget .monaco-list-row.action').first();
  expect(await first.textContent()).toMatch(/256/);
  await page.keyboard.press('Enter');
  await squiggles().first().waitFor({ state: 'detached', timeout: 20_000 });
  expect(await workbench.line('self.fc2 =').first().textContent()).toContain('256');
});

test('hovering a layer shows its card with live output', async () => {
  const token = workbench
    .line('self.fc1')
    .locator('span span', { hasText: /Linear/ })
    .first();
  const text = await workbench.hover(token, /200,960[\s\S]*mean/);
  expect(text).toMatch(/self\.fc1: Linear/);
  expect(text).toMatch(/float32\[32, 784\] → float32\[32, 256\]/);
  await workbench.shot('5-layer-card');
  await workbench.rest();
});

test('Run above a layer shows its output', async () => {
  const { page } = browser;
  await page.locator('.codelens-decoration a', { hasText: /Run/ }).first().click({ timeout: 30_000 });
  const panel = workbench.panel();
  await panel.locator('.viewer canvas').first().waitFor({ timeout: 60_000 });
  await expect.poll(() => panel.locator('.stats').first().textContent()).toMatch(/mean/);
  await workbench.shot('6-run');
});

test('inputs can be changed and run again', async () => {
  const panel = workbench.panel();
  const before = await panel.locator('.viewer h2').first().textContent();
  await panel.locator('input.shape').first().fill('5, 784');
  await panel.getByRole('button', { name: 'Run', exact: true }).click();
  await expect.poll(() => panel.locator('.viewer h2').first().textContent(), { timeout: 30_000 }).toMatch(/\[5, /);
  expect(before).not.toMatch(/\[5, /);
  await workbench.shot('7-run-again');
});

test('Quantize & compare says which groups do not fit', async () => {
  // On a layer's line the layer itself is meant.
  await workbench.line('self.fc1 =').first().click();
  await workbench.command('Quantize and Compare');
  const panel = workbench.panel();
  await expect
    .poll(() => panel.locator('main .notice').first().textContent(), { timeout: 60_000 })
    .toContain('784, is not a multiple of 32, 64 or 128');
  // Groups of 16 are nvfp4's alone.
  expect(await panel.locator('table.sorted tbody tr').count()).toBe(1);
  await workbench.shot('8-quantize-few');
});

test('Quantize & compare from the palette shows the grid and the plot', async () => {
  await workbench.line('self.fc2 =').first().click();
  await workbench.command('Quantize and Compare');
  const panel = workbench.panel();
  await expect.poll(() => panel.locator('h1').textContent(), { timeout: 30_000 }).toBe('self.fc2');
  await panel.locator('svg.frontier .mark').first().waitFor({ timeout: 90_000 });
  expect(await panel.locator('table.sorted tbody tr').count()).toBeGreaterThan(15);
  await panel.locator('svg.frontier .mark.best').nth(4).hover();
  await workbench.shot('9-quantize');
});

test('the grid sorts by its headers and takes the keyboard', async () => {
  const panel = workbench.panel();
  await panel.getByRole('button', { name: 'Relative error' }).focus();
  await browser.page.keyboard.press('Enter');
  const first = () => panel.locator('table.sorted tbody tr').first().locator('td').nth(1).textContent();
  await expect.poll(first).toBe('8');
  await browser.page.keyboard.press('Enter');
  await expect.poll(first).toBe('2');
  await panel.locator('table.sorted').scrollIntoViewIfNeeded();
  await workbench.shot('10-sorted');
});

test('the outline shows the model', async () => {
  const { page } = browser;
  const pane = page.locator('.pane-header[aria-label^="MLX Model"]');
  if ((await pane.getAttribute('aria-expanded')) === 'false') await pane.click();
  await page.locator('.monaco-list-row[aria-label^="Classifier"]').first().waitFor({ timeout: 20_000 });
  await workbench.shot('11-outline');
});
