// A QR code from its modules, dark on white in any theme, with the quiet zone that scanners want.

const NS = "http://www.w3.org/2000/svg";

function shape(name, properties) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(properties)) element.setAttribute(key, value);
  return element;
}

export function qr({width, modules}, label) {
  const size = width + 8;
  const image = shape("svg", {viewBox: `0 0 ${size} ${size}`, class: "qr", role: "img", "aria-label": label,
    "shape-rendering": "crispEdges"});
  let dark = "";
  for (let y = 0; y < width; y++)
    for (let x = 0; x < width; x++) {
      let to = x;
      while (to < width && modules[y * width + to] === "1") to++;
      if (to > x) dark += `M${x + 4} ${y + 4}h${to - x}v1H${x + 4}z`;
      x = to;
    }
  image.append(shape("rect", {width: size, height: size, fill: "#fff"}), shape("path", {d: dark, fill: "#000"}));
  return image;
}
