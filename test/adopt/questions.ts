/** Thirty questions to Chinook: each as a request to the adopted backend, and as SQL by hand. Database-neutral: names are spelt per product. */

/** What a column of an answer is, so that two products' ways of writing it can be compared. */
export type Kind = "text" | "number" | "money" | "instant" | "mean";

export interface Question {
  readonly title: string;
  /** Below the mount point. */
  readonly path: string;
  /** Where the SQL's columns are in a row of the answer: names with slashes between them, and `[]` behind a list. */
  readonly columns: readonly string[];
  /** Tables and columns are in double quotes, as SQLite's file has them. */
  readonly sql: string;
  readonly kinds: readonly Kind[];
}

/** Questions about rows. */
const lists: readonly Question[] = [
  {
    title: "the first albums by title",
    path: "albums?sort=title&limit=10",
    columns: ["albumId", "title", "artist"],
    sql: `select "AlbumId", "Title", "ArtistId" from "Album" order by "Title", "AlbumId" limit 10`,
    kinds: ["number", "text", "number"],
  },
  {
    title: "one track, whole",
    path: "tracks/3429",
    columns: ["trackId", "name", "album", "mediaType", "genre", "composer", "milliseconds", "bytes", "unitPrice"],
    sql: `select "TrackId", "Name", "AlbumId", "MediaTypeId", "GenreId", "Composer", "Milliseconds", "Bytes", "UnitPrice" from "Track" where "TrackId" = 3429`,
    kinds: ["number", "text", "number", "number", "number", "text", "number", "number", "money"],
  },
  {
    title: "a row of a composite key",
    path: "playlistTracks/1,3402",
    columns: ["playlist", "track"],
    sql: `select "PlaylistId", "TrackId" from "PlaylistTrack" where "PlaylistId" = 1 and "TrackId" = 3402`,
    kinds: ["number", "number"],
  },
  {
    title: "tracks at a price",
    path: "tracks?filter[unitPrice]=1.99&sort=name&limit=20",
    columns: ["trackId", "name", "unitPrice"],
    sql: `select "TrackId", "Name", "UnitPrice" from "Track" where "UnitPrice" = 1.99 order by "Name", "TrackId" limit 20`,
    kinds: ["number", "text", "money"],
  },
  {
    title: "invoices of at least an amount, the dearest first",
    path: "invoices?filter[total][gte]=13.86&sort=-total,invoiceDate&limit=100",
    columns: ["invoiceId", "invoiceDate", "total"],
    sql: `select "InvoiceId", "InvoiceDate", "Total" from "Invoice" where "Total" >= 13.86 order by "Total" desc, "InvoiceDate", "InvoiceId" limit 100`,
    kinds: ["number", "instant", "money"],
  },
  {
    title: "amounts from a list",
    path: "invoices?filter[total][in]=0.99,1.98,21.86&sort=invoiceDate&limit=100",
    columns: ["invoiceId", "total"],
    sql: `select "InvoiceId", "Total" from "Invoice" where "Total" in (0.99, 1.98, 21.86) order by "InvoiceDate", "InvoiceId" limit 100`,
    kinds: ["number", "money"],
  },
  {
    title: "amounts between two",
    path: "invoices?filter[total][between]=8.91,13.86&sort=total&limit=100",
    columns: ["invoiceId", "total"],
    sql: `select "InvoiceId", "Total" from "Invoice" where "Total" between 8.91 and 13.86 order by "Total", "InvoiceId" limit 100`,
    kinds: ["number", "money"],
  },
  {
    title: "invoices of one month",
    path: "invoices?filter[invoiceDate][gte]=2023-03-01T00:00:00Z&filter[invoiceDate][lt]=2023-04-01T00:00:00Z&sort=-invoiceDate",
    columns: ["invoiceId", "invoiceDate"],
    sql: `select "InvoiceId", "InvoiceDate" from "Invoice" where "InvoiceDate" >= '2023-03-01' and "InvoiceDate" < '2023-04-01' order by "InvoiceDate" desc, "InvoiceId" desc`,
    kinds: ["number", "instant"],
  },
  {
    title: "invoices of one day",
    path: "invoices?filter[invoiceDate]=2021-01-01T00:00:00Z",
    columns: ["invoiceId", "invoiceDate", "total"],
    sql: `select "InvoiceId", "InvoiceDate", "Total" from "Invoice" where "InvoiceDate" = '2021-01-01 00:00:00' order by "InvoiceId"`,
    kinds: ["number", "instant", "money"],
  },
  {
    title: "customers without a company, outside the USA",
    path: "customers?filter[company][isNull]=true&filter[country][ne]=USA&sort=lastName&limit=100",
    columns: ["customerId", "firstName", "lastName", "country"],
    sql: `select "CustomerId", "FirstName", "LastName", "Country" from "Customer" where "Company" is null and ("Country" is null or "Country" <> 'USA') order by "LastName", "CustomerId"`,
    kinds: ["number", "text", "text", "text"],
  },
  {
    title: "names with an accent",
    path: "artists?filter[name][contains]=ã&sort=artistId",
    columns: ["artistId", "name"],
    sql: `select "ArtistId", "Name" from "Artist" where "Name" like '%ã%' order by "ArtistId"`,
    kinds: ["number", "text"],
  },
  {
    title: "titles that start so, or are long",
    path: "tracks?filter[or][0][name][startsWith]=Zoo&filter[or][1][milliseconds][gt]=2900000&sort=trackId&limit=100",
    columns: ["trackId", "name", "milliseconds"],
    sql: `select "TrackId", "Name", "Milliseconds" from "Track" where substr("Name", 1, 3) = 'Zoo' or "Milliseconds" > 2900000 order by "TrackId" limit 100`,
    kinds: ["number", "text", "number"],
  },
  {
    title: "the second page by number",
    path: "genres?sort=name&limit=10&page[number]=2",
    columns: ["genreId", "name"],
    sql: `select "GenreId", "Name" from "Genre" order by "Name", "GenreId" limit 10 offset 10`,
    kinds: ["number", "text"],
  },
  {
    title: "who reports to nobody",
    path: "employees?filter[reportsTo][isNull]=true",
    columns: ["employeeId", "lastName", "hireDate"],
    sql: `select "EmployeeId", "LastName", "HireDate" from "Employee" where "ReportsTo" is null`,
    kinds: ["number", "text", "instant"],
  },
];

/** Questions that follow relations. */
const related: readonly Question[] = [
  {
    title: "albums with their artist",
    path: "albums?filter[artist.name]=Iron Maiden&fields=title,artist.name&sort=title&limit=100",
    columns: ["title", "artist/name"],
    sql: `select al."Title", ar."Name" from "Album" al join "Artist" ar on ar."ArtistId" = al."ArtistId" where ar."Name" = 'Iron Maiden' order by al."Title", al."AlbumId"`,
    kinds: ["text", "text"],
  },
  {
    title: "artists with their albums and the tracks of those, three deep",
    path: "artists?filter[artistId][lte]=5&fields=name,albums.title,albums.tracks.name&expand[albums][limit]=50&expand[albums.tracks][limit]=100&limit=5",
    columns: ["name", "albums[]/title", "albums[]/tracks[]/name"],
    sql: `select ar."Name", al."Title", t."Name" from "Artist" ar join "Album" al on al."ArtistId" = ar."ArtistId" join "Track" t on t."AlbumId" = al."AlbumId" where ar."ArtistId" <= 5 order by ar."ArtistId", al."AlbumId", t."TrackId"`,
    kinds: ["text", "text", "text"],
  },
  {
    title: "what was sold, four deep",
    path: "invoices/1?fields=total,invoiceLines.unitPrice,invoiceLines.track.name,invoiceLines.track.album.title,invoiceLines.track.album.artist.name",
    columns: [
      "total",
      "invoiceLines[]/unitPrice",
      "invoiceLines[]/track/name",
      "invoiceLines[]/track/album/title",
      "invoiceLines[]/track/album/artist/name",
    ],
    sql: `select i."Total", l."UnitPrice", t."Name", al."Title", ar."Name" from "Invoice" i join "InvoiceLine" l on l."InvoiceId" = i."InvoiceId" join "Track" t on t."TrackId" = l."TrackId" join "Album" al on al."AlbumId" = t."AlbumId" join "Artist" ar on ar."ArtistId" = al."ArtistId" where i."InvoiceId" = 1 order by l."InvoiceLineId"`,
    kinds: ["money", "money", "text", "text", "text"],
  },
  {
    title: "tracks of a playlist, through the join table",
    path: "playlists/17?fields=name,tracks.name,tracks.unitPrice&expand[tracks][limit]=100",
    columns: ["name", "tracks[]/name", "tracks[]/unitPrice"],
    sql: `select p."Name", t."Name", t."UnitPrice" from "Playlist" p join "PlaylistTrack" x on x."PlaylistId" = p."PlaylistId" join "Track" t on t."TrackId" = x."TrackId" where p."PlaylistId" = 17 order by t."TrackId" limit 100`,
    kinds: ["text", "text", "money"],
  },
  {
    title: "playlists of a track, the other way",
    path: "tracks/1?fields=playlists.playlistId,playlists.name",
    columns: ["playlists[]/playlistId", "playlists[]/name"],
    sql: `select p."PlaylistId", p."Name" from "Playlist" p join "PlaylistTrack" x on x."PlaylistId" = p."PlaylistId" where x."TrackId" = 1 order by p."PlaylistId"`,
    kinds: ["number", "text"],
  },
  {
    title: "employees with their chief and their chief's chief",
    path: "employees?fields=lastName,reportsTo.lastName,reportsTo.reportsTo.lastName",
    columns: ["lastName", "reportsTo/lastName", "reportsTo/reportsTo/lastName"],
    sql: `select e."LastName", c."LastName", d."LastName" from "Employee" e left join "Employee" c on c."EmployeeId" = e."ReportsTo" left join "Employee" d on d."EmployeeId" = c."ReportsTo" order by e."EmployeeId"`,
    kinds: ["text", "text", "text"],
  },
  {
    title: "customers who bought jazz",
    path: "customers?filter[invoices][some][invoiceLines][some][track.genre.name]=Jazz&fields=customerId,lastName&limit=100",
    columns: ["customerId", "lastName"],
    sql: `select c."CustomerId", c."LastName" from "Customer" c where c."CustomerId" in (select i."CustomerId" from "Invoice" i join "InvoiceLine" l on l."InvoiceId" = i."InvoiceId" join "Track" t on t."TrackId" = l."TrackId" join "Genre" g on g."GenreId" = t."GenreId" where g."Name" = 'Jazz') order by c."CustomerId"`,
    kinds: ["number", "text"],
  },
  {
    title: "artists without an album",
    path: "artists?filter[albums][none][albumId][isNull]=false&limit=100&sort=name",
    columns: ["artistId", "name"],
    sql: `select "ArtistId", "Name" from "Artist" a where not exists (select 1 from "Album" b where b."ArtistId" = a."ArtistId") order by "Name", "ArtistId" limit 100`,
    kinds: ["number", "text"],
  },
  {
    title: "customers by the name of who looks after them",
    path: "customers?sort=supportRep.lastName,-lastName&fields=lastName,supportRep.lastName&limit=100",
    columns: ["lastName", "supportRep/lastName"],
    sql: `select c."LastName", e."LastName" from "Customer" c join "Employee" e on e."EmployeeId" = c."SupportRepId" order by e."LastName", c."LastName" desc, c."CustomerId" desc`,
    kinds: ["text", "text"],
  },
];

/** Questions that count and sum. */
const groups: readonly Question[] = [
  {
    title: "sales by year, exact to the cent",
    path: "invoices/aggregate?group=year(invoiceDate)&sum=total&count=*",
    columns: ["group/year(invoiceDate)", "sum/total", "count"],
    sql: `select substr(cast("InvoiceDate" as char(30)), 1, 4) as y, sum("Total"), count(*) from "Invoice" group by y order by y`,
    kinds: ["text", "money", "number"],
  },
  {
    title: "customers by country",
    path: "customers/aggregate?group=country&count=*&sort=-count,country&limit=10",
    columns: ["group/country", "count"],
    sql: `select "Country", count(*) as n from "Customer" group by "Country" order by n desc, "Country" limit 10`,
    kinds: ["text", "number"],
  },
  {
    title: "who spent more than 45",
    path: "invoices/aggregate?group=customer&sum=total&having[sum.total][gt]=45&sort=-sum.total",
    columns: ["group/customer", "sum/total"],
    sql: `select "CustomerId", sum("Total") as s from "Invoice" group by "CustomerId" having round(sum("Total"), 2) > 45 order by round(sum("Total"), 2) desc, "CustomerId"`,
    kinds: ["number", "money"],
  },
  {
    title: "sales by genre",
    path: "invoiceLines/aggregate?group=track.genre.name&sum=unitPrice,quantity&sort=track.genre.name",
    columns: ["group/track.genre.name", "sum/unitPrice", "sum/quantity"],
    sql: `select g."Name", sum(l."UnitPrice"), sum(l."Quantity") from "InvoiceLine" l join "Track" t on t."TrackId" = l."TrackId" join "Genre" g on g."GenreId" = t."GenreId" group by g."Name" order by g."Name"`,
    kinds: ["text", "money", "number"],
  },
  {
    title: "the range and mean of prices and lengths",
    path: "tracks/aggregate?min=unitPrice,milliseconds&max=unitPrice,milliseconds&avg=unitPrice,milliseconds",
    columns: ["min/unitPrice", "min/milliseconds", "max/unitPrice", "max/milliseconds", "avg/unitPrice", "avg/milliseconds"],
    sql: `select min("UnitPrice"), min("Milliseconds"), max("UnitPrice"), max("Milliseconds"), avg("UnitPrice"), avg("Milliseconds") from "Track"`,
    kinds: ["money", "number", "money", "number", "mean", "mean"],
  },
  {
    title: "prices of tracks, counted",
    path: "tracks/aggregate?group=unitPrice&count=*,composer",
    columns: ["group/unitPrice", "count", "countOf/composer"],
    sql: `select "UnitPrice", count(*), count("Composer") from "Track" group by "UnitPrice" order by "UnitPrice"`,
    kinds: ["money", "number", "number"],
  },
  {
    title: "the first and last sale of each month of a year, where it was above the mean",
    path: "invoices/aggregate?filter[invoiceDate][gte]=2025-01-01T00:00:00Z&group=month(invoiceDate)&min=invoiceDate&max=invoiceDate,total&having[max.total][gte]=13.86",
    columns: ["group/month(invoiceDate)", "min/invoiceDate", "max/invoiceDate", "max/total"],
    sql: `select substr(cast("InvoiceDate" as char(30)), 1, 7) as m, min("InvoiceDate"), max("InvoiceDate"), max("Total") from "Invoice" where "InvoiceDate" >= '2025-01-01' group by m having max("Total") >= 13.86 order by m`,
    kinds: ["text", "instant", "instant", "money"],
  },
];

export const questions: readonly Question[] = [...lists, ...related, ...groups];
