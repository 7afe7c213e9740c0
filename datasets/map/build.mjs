// Writes world.csv: `make map` installs what this needs and runs it. See README.md beside this file.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { geoCentroid, geoNaturalEarth1, geoPath } from "d3-geo";
import { feature } from "topojson-client";

const require = createRequire(import.meta.url);
const countries = require("i18n-iso-countries");
const read = (scale) => {
  const topology = JSON.parse(readFileSync(require.resolve(`world-atlas/countries-${scale}.json`)));
  return feature(topology, topology.objects.countries).features;
};
const WITHOUT_NUMBER = { Kosovo: "XKX" };
const UNPEOPLED = new Set(["ATA", "HMD"]);
const code = ({ id, properties }) => (id ? countries.numericToAlpha3(id) : WITHOUT_NUMBER[properties.name]) ?? "";

const coarse = read("110m").filter((area) => area.properties.name !== "Antarctica");
const fine = read("50m");

// Natural Earth draws who holds a place. Crimea is shown as the General Assembly sees it (resolution 68/262).
const named = (name) => coarse.find((area) => area.properties.name === name);
const [russia, ukraine] = [named("Russia"), named("Ukraine")];
const isCrimea = ([ring]) => ring.every(([x, y]) => x > 32 && x < 37 && y > 44 && y < 47);
const crimea = russia.geometry.coordinates.filter(isCrimea);
if (crimea.length !== 1) throw new Error(`expected one shape of Crimea, found ${crimea.length}`);
russia.geometry.coordinates = russia.geometry.coordinates.filter((shape) => !isCrimea(shape));
ukraine.geometry = { type: "MultiPolygon", coordinates: [ukraine.geometry.coordinates, ...crimea] };

const WIDTH = 2000;
const projection = geoNaturalEarth1().fitWidth(WIDTH, { type: "FeatureCollection", features: coarse });
const path = geoPath(projection);

// Whole numbers from point to point; what stays on its point is left out.
const shape = (area) => {
  let [d, x, y, command] = ["", 0, 0, ""];
  let start = [0, 0];
  for (const [, what, at] of path(area).matchAll(/([MLZ])([^MLZ]*)/g)) {
    if (what === "Z") {
      d += "z";
      [x, y, command] = [...start, "z"];
      continue;
    }
    const [nextX, nextY] = at.split(",").map(Math.round);
    const [dx, dy] = [nextX - x, nextY - y];
    if (what === "L" && dx === 0 && dy === 0) continue;
    const letter = what === "M" ? "m" : "l";
    d += (letter === command ? (dx < 0 ? "" : " ") : letter) + dx + (dy < 0 ? "" : " ") + dy;
    [x, y, command] = [nextX, nextY, letter];
    if (what === "M") start = [x, y];
  }
  return d;
};

const rows = coarse.map((area) => [code(area), area.properties.name, "area", shape(area)]);
const drawn = new Set(rows.map(([code]) => code));
for (const area of fine) {
  const iso = code(area);
  if (!iso || drawn.has(iso) || UNPEOPLED.has(iso)) continue;
  const [x, y] = projection(geoCentroid(area)).map(Math.round);
  rows.push([iso, area.properties.name, "dot", `${x} ${y}`]);
}
rows.sort(([a, nameA], [b, nameB]) => (a < b ? -1 : a > b ? 1 : nameA < nameB ? -1 : 1));
const quoted = (field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
const csv = [["code", "name", "kind", "shape"], ...rows].map((row) => row.map(quoted).join(",") + "\n").join("");
writeFileSync(new URL("world.csv", import.meta.url), csv);
console.log(`${rows.length} rows, ${csv.length} characters; height ${Math.ceil(path.bounds({ type: "FeatureCollection", features: coarse })[1][1])}`);
